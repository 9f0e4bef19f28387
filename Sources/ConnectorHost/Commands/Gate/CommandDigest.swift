internal import ConnectorKit
internal import Cryptography
internal import JSON

extension PrinterCommand {
  /// SHA-256 of the command with its parameters, lower-case hex: to see that an id came again with another command.
  var digest: String {
    Digest.sha256Hex(Array(canonicalParts.map { "\($0.utf8.count):\($0)" }.joined().utf8))
  }

  /// The kind and the parameters; the same in every version of this program, or a redelivery across an update looks foreign.
  private var canonicalParts: [String] {
    [kind.rawValue]
      + {
        switch self {
        case .pause, .resume, .cancel, .emergencyStop, .listFiles, .backup, .reboot, .shutdownHost,
          .startQueue:
          []
        case .start(let path, let cause): [path.text, cause.rawValue]
        case .home(let axes): axes.map(\.rawValue)
        case .gcode(let text): [text]
        case .macro(let name, let arguments): [name] + arguments.flatMap { [$0.name, $0.value] }
        case .temperature(let heater, let celsius): [heater, "\(celsius)"]
        case .fan(let speed): ["\(speed)"]
        case .speed(let percent), .flow(let percent): ["\(percent)"]
        case .upload(let path), .deleteFile(let path): [path.text]
        case .history(let limit): ["\(limit)"]
        case .restart(let kind): [kind.rawValue]
        case .power(let device, let isOn): [device, "\(isOn)"]
        case .query(let request), .raw(let request):
          [
            request.path, request.method.rawValue,
            String(
              decoding: JSONValue.object(request.arguments).serialized(), as: UTF8.self),
          ]
        case .queue(.add(let paths, let isReset)): ["add", "\(isReset)"] + paths.map(\.text)
        case .queue(.remove(let jobs)): ["remove"] + jobs
        case .queue(.clear): ["clear"]
        case .queue(.pause): ["pause"]
        case .queue(.first(let job)): ["first", job]
        }
      }()
  }
}
