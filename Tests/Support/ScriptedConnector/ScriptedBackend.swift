import ConnectorKit
import JSON
import Networking
import Platform

/// A connector whose far side is a test: it fetches orders over HTTP and says what became of each.
///
/// `GET <url>/next` is held until there are orders: `{"orders": [{"id": "s-1", "do": "gcode", "script": "G28"}, …]}`.
/// Each order goes through the gate like any cloud's command; its outcome is owed and sent as
/// `POST <url>/outcome` `{"id", "status", "reason", "message", "details", "repeat"}`.
struct ScriptedBackend: ConnectorBackend {
  private static let url = Setting<String>.url(
    "url", default: "http://127.0.0.1:1", "Where the test listens.")
  private static let reachableHosts = Setting<[String]>.stringList(
    "reachable_hosts", "Hosts that a download may reach although they are not public.")

  static let descriptor = ConnectorDescriptor(
    type: "scripted", title: "Scripted", summary: "Does what a test says.",
    settings: [url.declaration, reachableHosts.declaration],
    reads: StatusInterest(["print_stats": .named(["state"])]),
    commands: PrinterCommand.Kind.allCases.map { DeclaredCommand($0.rawValue, $0, "Scripted.") },
    minimalExample: "type: scripted", intention: { _ in "do what a test says" })

  private let url: String
  private let reachableHosts: Set<String>
  private let context: BackendContext

  init(settings: Settings, context: BackendContext) async throws {
    url = settings[Self.url]
    reachableHosts = Set(settings[Self.reachableHosts])
    self.context = context
  }

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await obey() }
      group.addTask { try await deliver() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  func runOnce() async throws {
    throw BackendFailure(.reject, "the scripted connector has no single round")
  }

  // Orders

  private func obey() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      while !Task.isCancelled {
        guard let orders = try await nextOrders() else { continue }
        let contact = context.commands.contact()
        for order in orders {
          group.addTask { try await execute(order, in: contact) }
        }
      }
    }
  }

  /// The orders of the next answer; nil when there was none, after a pause.
  private func nextOrders() async throws -> [ScriptedOrder]? {
    do {
      let request = HTTPRequest(
        "GET", url + "/next", timeout: .seconds(30), answerLimit: 64 << 20)
      let answer = try await context.http.send(request)
      guard answer.status == 200, let document = try? JSONValue(parsing: answer.body) else {
        throw NetworkError(.protocolViolation, "no orders in the answer")
      }
      context.report(.online)
      return (document["orders"]?.array ?? []).compactMap { ScriptedOrder($0) }
    } catch {
      try Task.checkCancellation()
      context.report(.degraded(problem: "\(error)", remedy: ""))
      try await context.time.sleep(for: .milliseconds(200))
      return nil
    }
  }

  private func execute(_ order: ScriptedOrder, in contact: CommandContact) async throws {
    if case .frame(let wish) = order.action {
      await context.outbox.put(order.owed(await picture(wish)))
      return
    }
    guard case .command(let command) = order.action else {
      await context.outbox.put(
        order.owed(CommandOutcome(.failed, .invalid, "no such order, or not as it should be")))
      return
    }
    let request = CommandRequest(
      id: order.id, wireName: command.kind.rawValue, command: command, age: order.age)
    _ = await context.commands.submit(
      request, in: contact, work: work(for: order), owing: { order.owed($0) })
  }

  private func picture(_ wish: FrameWish) async -> CommandOutcome {
    do {
      let frame = try await context.webcams.frame(wish)
      return .done([
        "content_type": .string(frame.contentType), "bytes": .integer(frame.bytes.count),
        "head": .array(frame.bytes.prefix(4).map { .integer($0) }),
      ])
    } catch {
      return CommandOutcome(.failed, .transfer, "\(error.kind): \(error)")
    }
  }

  /// What an upload has to bring: bytes of the order, or of an address.
  private func work(for order: ScriptedOrder) -> CommandWork? {
    guard let source = order.source else { return nil }
    let transfers = context.transfers
    let hosts = reachableHosts
    return { printer async throws(CommandFailure) in
      do throws(TransferFailure) {
        let file =
          switch source {
          case .content(let text):
            try await transfers.stage(expectedSize: Int64(text.utf8.count)) { writer in
              try writer.write(Array(text.utf8))
            }
          case .address(let address, let limit, let redirects):
            try await transfers.download(
              Self.download(address, limit: limit, redirects: redirects, hosts: hosts))
          }
        return try await Self.hand(file, to: printer)
      } catch {
        throw CommandFailure(.transfer, "\(error.kind): \(error)")
      }
    }
  }

  private static func hand(
    _ file: StagedFile, to printer: any GatedPrinter
  ) async throws(TransferFailure) -> JSONValue {
    do {
      return ["item": try await printer.upload(file), "sha256": .string(file.sha256)]
    } catch {
      throw TransferFailure(.network, error.message)
    }
  }

  private static func download(
    _ address: String, limit: Int64, redirects: Int, hosts: Set<String>
  ) -> DownloadOrder {
    var request = HTTPRequest("GET", address)
    request.addresses = .publicOnly(except: hosts)
    request.stallTimeout = .seconds(5)
    return DownloadOrder(request, maximumSize: limit, redirects: redirects)
  }

  // Outcomes

  private func deliver() async throws {
    while true {
      let entry = try await context.outbox.oldest()
      let body = JSONValue.object(entry.item.body).serialized()
      let request = HTTPRequest(
        "POST", url + "/outcome", fields: [HTTPField("Content-Type", "application/json")],
        body: body)
      let answer = try? await context.http.send(request)
      try Task.checkCancellation()
      if answer?.status == 200 {
        await context.outbox.settle(entry, .accept)
      } else {
        await context.outbox.settle(entry, .keep)
        try await context.time.sleep(for: .milliseconds(200))
      }
    }
  }
}
