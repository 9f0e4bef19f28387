import ConnectorKit
import JSON
import Platform

/// One order of a test.
struct ScriptedOrder: Sendable {
  /// What it asks for.
  enum Action: Sendable {
    case command(PrinterCommand)
    case frame(FrameWish)
    case nothing
  }
  /// Where the bytes of an upload come from.
  enum Source: Sendable {
    case content(String)
    case address(String, limit: Int64, redirects: Int)
  }

  let id: String
  let action: Action
  let age: Duration?
  let source: Source?

  /// Reads an order; nil without an id.
  init?(_ order: JSONValue) {
    guard let id = order["id"]?.string else { return nil }
    self.id = id
    age = order["age"]?.double.map { .milliseconds(Int64($0 * 1_000)) }
    if let text = order["content"]?.string {
      source = .content(text)
    } else if let address = order["url"]?.string {
      source = .address(
        address, limit: order["limit"]?.integer ?? 64 << 20,
        redirects: Int(order["redirects"]?.integer ?? 0))
    } else {
      source = nil
    }
    action = Self.action(order)
  }

  /// The outcome as the test is owed it.
  func owed(_ outcome: CommandOutcome) -> OwedItem {
    OwedItem(
      key: id, kind: "outcome",
      body: [
        "id": .string(id), "status": .string(outcome.status.rawValue),
        "reason": .string(outcome.reason.rawValue), "message": .string(outcome.message),
        "details": outcome.details ?? .null, "repeat": .bool(outcome.isRepeat),
      ],
      isExpendable: outcome.status == .refused)
  }

  private static func action(_ order: JSONValue) -> Action {
    if order["do"]?.string == "frame" {
      return .frame(
        FrameWish(
          maximumAge: .milliseconds(Int64((order["max_age"]?.double ?? 1) * 1_000)),
          maximumBytes: Int(order["max_bytes"]?.integer ?? 10 << 20),
          mustBeJPEG: order["jpeg"]?.bool ?? true))
    }
    return command(order).map { .command($0) } ?? .nothing
  }

  private static func command(_ order: JSONValue) -> PrinterCommand? {
    guard let kind = order["do"]?.string.flatMap(PrinterCommand.Kind.init(rawValue:)) else {
      return nil
    }
    let path = order["file"]?.string.flatMap(GCodePath.init)
    switch kind {
    case .pause: return .pause
    case .resume: return .resume
    case .cancel: return .cancel
    case .emergencyStop: return .emergencyStop
    case .start:
      return path.map { .start($0, order["cause"]?.string == "itself" ? .itself : .person) }
    case .home:
      return .home(
        (order["axes"]?.array ?? []).compactMap { $0.string.flatMap(PrinterCommand.Axis.init) })
    case .gcode: return order["script"]?.string.map { .gcode($0) }
    case .macro: return order["name"]?.string.map { .macro($0, arguments(order)) }
    case .temperature:
      return .temperature(
        heater: order["heater"]?.string ?? "extruder", celsius: order["celsius"]?.double ?? 0)
    case .fan: return .fan(order["value"]?.double ?? 0)
    case .speed: return .speed(percent: Int(order["value"]?.integer ?? 100))
    case .flow: return .flow(percent: Int(order["value"]?.integer ?? 100))
    case .upload: return path.map { .upload($0) }
    case .deleteFile: return path.map { .deleteFile($0) }
    case .listFiles: return .listFiles
    case .history: return .history(limit: Int(order["limit"]?.integer ?? 50))
    case .backup: return .backup
    case .restart: return .restart(order["what"]?.string == "firmware" ? .firmware : .klipper)
    case .reboot: return .reboot
    case .shutdownHost: return .shutdownHost
    case .power:
      return order["device"]?.string.map { .power(device: $0, isOn: order["on"]?.bool ?? false) }
    case .query: return request(order).map { .query($0) }
    case .raw: return request(order).map { .raw($0) }
    case .queue: return path.map { .queue(.add([$0], isReset: false)) } ?? .queue(.clear)
    case .startQueue: return .startQueue
    }
  }

  private static func request(_ order: JSONValue) -> MoonrakerRequest? {
    let parts = order["path"]?.string?.utf8.split(separator: UInt8(ascii: "."))
    let method = order["method"]?.string.flatMap(MoonrakerRequest.Method.init(rawValue:))
    return MoonrakerRequest(
      parts: (parts ?? []).map { String($0) ?? "" }, method: method ?? .post,
      body: order["arguments"]?.object ?? JSONObject())
  }

  private static func arguments(_ order: JSONValue) -> [PrinterCommand.MacroArgument] {
    (order["arguments"]?.object ?? JSONObject()).compactMap { key, value in
      value.string.flatMap { PrinterCommand.MacroArgument(key, $0) }
    }
  }
}
