internal import ConnectorKit
internal import Glibc
internal import JSON
internal import Platform

/// `printer-uplink bed-cleared` and `read-only`: tells the running daemon, over its socket.
struct ControlCommand {
  /// What to tell.
  let order: ControlOrder
  /// Where to write.
  let terminal: Terminal

  /// Tells the daemon whose state directory is `folder`.
  ///
  /// - Returns: 0; 1 where no daemon runs or it says no.
  func run(stateDirectory folder: String, environment: [String: String]) async -> Int32 {
    let socket = ControlSocket(environment: environment, stateDirectory: folder)
    do {
      let (bytes, path) = (request, socket.clientPath)
      let answer = try await offload { try LocalStream.exchange(bytes, at: path) }
      guard let reply = Self.reply(in: answer) else {
        return fail("the daemon's answer is not understood; is it of the same version?")
      }
      guard reply.isDone else { return fail(reply.message) }
      terminal.say(reply.message.onOneLine)
      return 0
    } catch let error as PlatformError {
      return fail(explanation(error, socket.clientPath))
    } catch {
      return fail("\(error)")
    }
  }

  private var request: [UInt8] {
    let path: String
    let body: JSONValue
    switch order {
    case .bedCleared:
      path = ControlRoute.bedCleared.path
      body = [:]
    case .readOnly(let isOn):
      path = ControlRoute.readOnly.path
      body = ["on": .bool(isOn)]
    }
    let bytes = body.serialized()
    let head = """
      POST \(path) HTTP/1.1\r
      Host: localhost\r
      Content-Type: application/json\r
      Content-Length: \(bytes.count)\r
      Connection: close\r
      \r

      """
    return Array(head.utf8) + bytes
  }

  /// What the daemon said; nil where that is no answer of ours.
  static func reply(in answer: [UInt8]) -> (isDone: Bool, message: String)? {
    let end: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
    guard answer.starts(with: "HTTP/1.1 ".utf8),
      let start = answer.indices.first(where: { answer[$0...].starts(with: end) })
    else { return nil }
    let limits = JSONLimits(bytes: 64 << 10, depth: 4)
    let body = Array(answer[(start + end.count)...])
    guard let object = (try? JSONValue(parsing: body, limits: limits))?.object,
      let isDone = object["ok"]?.bool, let message = object["message"]?.string
    else { return nil }
    return (isDone, message)
  }

  private func explanation(_ error: PlatformError, _ path: String) -> String {
    switch error.errorNumber {
    case ENOENT, ENOTDIR, ECONNREFUSED:
      let what =
        switch order {
        case .bedCleared: "it is the one that remembers the bed"
        case .readOnly: "the switch is the daemon's, which keeps it over a restart"
        }
      return "no daemon runs with this configuration (nobody listens at \(path)); \(what): "
        + "start it with '\(Product.name) run'"
    case EACCES, EPERM:
      return "\(path) belongs to another user; run this as the daemon's user, or as root"
    case EAGAIN: return "the daemon does not answer; look into its log"
    default: return error.description
    }
  }

  private func fail(_ problem: String) -> Int32 {
    terminal.complain("\(Product.name): \(problem.onOneLine)")
    return 1
  }
}
