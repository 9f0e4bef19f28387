internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// Runs a session: carries events to it and its actions out. Everything it starts ends with it.
struct SessionLoop: Sendable {
  let client: HubClient
  let address: HubAddress
  let configuration: HubConfiguration
  let context: BackendContext
  let updates: UpdateDesk
  let commands: CommandDesk
  let results: ResultDelivery
  let statistics: StatisticsKeeper
  let memory: HubMemory
  let urgency: Urgency

  /// Until cancelled.
  func run() async throws {
    let (events, mailbox) = AsyncStream.makeStream(of: HubSession.Event.self)
    var session = HubSession(rules, now: context.time.now)
    urgency.connect { mailbox.yield(.hurry) }
    try await withThrowingDiscardingTaskGroup { group in
      // Alarms that are set; one that nobody needs any more rings for nothing.
      var alarms: [MonotonicInstant] = []
      var sent: JSONObject?
      mailbox.yield(.tick)
      for await event in events {
        let now = context.time.now
        alarms.removeAll { $0 <= now }
        if case .answered(.update, let reply) = event, case .accepted = reply.answer,
          let body = sent
        {
          if updates.accepted(body) {
            results.room.send()
            group.addTask { await memory.save() }
          }
          urgency.accepted(body)
        }
        let actions = session.handle(event, now: now) { UpdateBody.content(updates.body()) }
        for action in actions {
          switch action {
          case .send(let call):
            let body = call == .update ? updates.body() : nil
            if let body { sent = body }
            group.addTask {
              mailbox.yield(.answered(call, try await reply(to: call, body)))
            }
          case .report(let health): context.report(health)
          case .confirm(let duration): context.confirm(duration)
          case .log(let level, let message): context.log(level, message)
          case .pulled(let elements, let date):
            commands.take(elements, address.generation, date: date)
          case .edited(let edits): updates.take(edits)
          case .updated(let failures):
            statistics.count { $0.updated(at: context.time.wallTime, afterFailures: failures) }
          case .failed(let call):
            statistics.count { statistics in
              statistics.errors &+= 1
              if call == .update { statistics.failedUpdates &+= 1 }
            }
          }
        }
        if let due = session.nextDue(), alarms.allSatisfy({ $0 > due }) {
          alarms.append(due)
          group.addTask {
            try await context.time.sleep(until: due)
            mailbox.yield(.tick)
          }
        }
      }
      throw CancellationError()
    }
  }

  /// Sends one update, fetches commands once, and has them executed.
  ///
  /// - Throws: `BackendFailure` of the first call that was not accepted.
  func runOnce() async throws {
    try await update()
    let reply = try await client.commands(at: address)
    let object = try accepted(reply, .commands)
    commands.take(object.list("commands"), address.generation, date: reply.date)
    await commands.runOnce()
  }

  /// Sends one update.
  ///
  /// - Throws: `BackendFailure` where it is not accepted.
  func update() async throws {
    let body = updates.body()
    _ = try accepted(try await client.update(body, at: address), .update)
    _ = updates.accepted(body)
    statistics.count { $0.updated(at: context.time.wallTime, afterFailures: 0) }
  }

  private func accepted(
    _ reply: HubClient.Reply, _ call: HubSession.Call
  ) throws -> JSONObject {
    guard case .accepted(let object) = reply.answer else {
      let problem = "\(call): \(reply.answer.problem(host: host) ?? "not accepted")"
      var pause: Duration?
      if case .wait(_, let asked) = reply.answer { pause = asked }
      throw BackendFailure(.retry(after: pause), problem, remedy: reply.answer.remedy)
    }
    return object
  }

  private func reply(
    to call: HubSession.Call, _ body: JSONObject?
  ) async throws -> HubClient.Reply {
    switch call {
    case .update: try await client.update(body ?? updates.body(), at: address)
    case .commands: try await client.commands(at: address)
    case .edits: try await client.card(at: address)
    }
  }

  private var host: String { URLParts(address.update)?.host ?? "the hub" }

  private var rules: HubSession.Rules {
    HubSession.Rules(
      statusInterval: configuration.statusInterval,
      commandInterval: configuration.commandInterval, backoff: configuration.backoff,
      maxAttempts: configuration.maxAttempts, skipsUnchanged: configuration.skipsUnchanged,
      asksForEdits: configuration.preservesEdits && address.generation == .v1,
      fullBatch: address.generation == .v2 ? 10 : nil, host: host, random: context.random)
  }
}

/// Has an update sent before its time, for what must be told while there is still somebody to tell it.
final class Urgency: Sendable {
  /// The longest time that is waited for it.
  static let patience = Duration.seconds(3)

  private struct State {
    var hurry: @Sendable () -> Void = {}
    var waiting: [(id: String, nudge: Nudge)] = []
  }
  private let time: any TimeSource
  private let memory: HubMemory
  private let state = Guarded(State())

  init(time: any TimeSource, memory: HubMemory) {
    self.time = time
    self.memory = memory
  }

  /// Says how an update is asked for.
  func connect(_ hurry: @escaping @Sendable () -> Void) { state.withLock { $0.hurry = hurry } }

  /// An update has been accepted.
  func accepted(_ body: JSONObject) {
    let told = (body["command_results"]?.array ?? []).compactMap { $0["id"]?.string }
    let done = state.withLock { state in
      let done = state.waiting.filter { told.contains($0.id) }
      state.waiting.removeAll { told.contains($0.id) }
      return done
    }
    for (_, nudge) in done { nudge.send() }
  }

  /// Tells the hub of a command's end, and returns when it has heard of it, or after a moment.
  func tell(_ report: CommandReport) async {
    let nudge = Nudge()
    let waiter = nudge.waiter(time)
    memory.change { $0.board.put(report.json) }
    let hurry = state.withLock { state in
      state.waiting.append((report.id, nudge))
      return state.hurry
    }
    hurry()
    try? await waiter.wait(until: time.now.advanced(by: Self.patience))
    state.withLock { $0.waiting.removeAll { $0.id == report.id } }
  }
}
