internal import ConnectorKit
internal import JSON
internal import Platform

/// `printer-uplink bed-cleared`, `read-only`, `enable`, `pair` and the like: tells the running daemon, over its socket.
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
    let client = DaemonClient(path: socket.clientPath, purpose: purpose)
    do {
      let answer = try await client.ask(order.route, body: order.body)
      guard let reply = Self.reply(in: answer) else {
        return fail("the daemon's answer is not understood; is it of the same version?")
      }
      guard reply.isDone else { return fail(reply.message) }
      terminal.say(reply.message.onOneLine)
      return 0
    } catch {
      return fail(error.problem)
    }
  }

  private var purpose: String {
    switch order {
    case .bedCleared: "it is the one that remembers the bed"
    case .readOnly: "the switch is the daemon's, which keeps it over a restart"
    case .wideningsSeen: "it is the one that remembers what was seen"
    case .enabled, .reload, .pair, .unpair: "the backends are the daemon's"
    }
  }

  /// What the daemon said; nil where that is no answer of ours.
  static func reply(in answer: [UInt8]) -> (isDone: Bool, message: String)? {
    let limits = JSONLimits(bytes: 64 << 10, depth: 4)
    guard let body = DaemonClient.body(of: answer),
      let object = (try? JSONValue(parsing: body, limits: limits))?.object,
      let isDone = object["ok"]?.bool, let message = object["message"]?.string
    else { return nil }
    return (isDone, message)
  }

  private func fail(_ problem: String) -> Int32 {
    terminal.complain("\(Product.name): \(problem.onOneLine)")
    return 1
  }
}
