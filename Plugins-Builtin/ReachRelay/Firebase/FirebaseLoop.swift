internal import ConnectorKit
internal import JSON
internal import Platform

/// Runs a session with the database: carries events to it and its actions out. Everything it starts ends with it.
struct FirebaseLoop: Sendable {
  private enum Signal: Sendable {
    case event(FirebaseSession.Event)
    case news(ViewerFeed)
  }

  private let client: FirebaseClient
  private let rules: FirebaseSession.Rules
  private let context: BackendContext
  /// Is told until when somebody watches.
  private let showViewer: @Sendable (MonotonicInstant?) -> Void
  private let signals: AsyncStream<Signal>
  private let mailbox: AsyncStream<Signal>.Continuation
  /// What listens, or has listened last.
  private let feed = Guarded<ViewerFeed?>(nil)

  /// A loop that has not begun; it runs once.
  init(
    client: FirebaseClient, rules: FirebaseSession.Rules, context: BackendContext,
    showViewer: @escaping @Sendable (MonotonicInstant?) -> Void
  ) {
    self.client = client
    self.rules = rules
    self.context = context
    self.showViewer = showViewer
    (signals, mailbox) = AsyncStream.makeStream(of: Signal.self)
  }

  /// A report goes to the relay. Never blocks, safe from any thread.
  func tell(_ report: JSONObject) {
    if let body = FirebaseStatus.body(report) { mailbox.yield(.event(.report(body))) }
  }

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    var session = FirebaseSession(rules)
    try await withThrowingDiscardingTaskGroup { group in
      // Alarms that are set; one that nobody needs any more rings for nothing.
      var alarms: [MonotonicInstant] = []
      mailbox.yield(.event(.tick))
      for await signal in signals {
        let now = context.time.now
        alarms.removeAll { $0 <= now }
        guard let event = event(of: signal) else { continue }
        for action in session.handle(event, now: now, wallTime: context.time.wallTime) {
          carryOut(action, &group)
        }
        if let due = session.nextDue, alarms.allSatisfy({ $0 > due }) {
          alarms.append(due)
          group.addTask {
            try await context.time.sleep(until: due)
            mailbox.yield(.event(.tick))
          }
        }
      }
      throw CancellationError()
    }
  }

  private func event(of signal: Signal) -> FirebaseSession.Event? {
    switch signal {
    case .event(let event): event
    case .news(let feed): feed.collect().map { .heard($0) }
    }
  }

  private func carryOut(
    _ action: FirebaseSession.Action, _ group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    switch action {
    case .patch(let body):
      group.addTask {
        let answer = try await client.patch(body)
        mailbox.yield(.event(.patched(answer)))
      }
    case .poll:
      group.addTask {
        let answer = try await client.stamp()
        mailbox.yield(.event(.polled(answer)))
      }
    case .openStream:
      let feed = ViewerFeed(time: context.time) { mailbox.yield(.news($0)) }
      self.feed.withLock { $0 = feed }
      group.addTask {
        let end = try await client.listen(into: feed)
        mailbox.yield(.event(.streamEnded(end)))
      }
    case .closeStream: feed.withLock { $0 }?.close()
    case .viewer(let end): showViewer(end)
    case .log(let level, let line): context.log(level, line)
    }
  }
}
