internal import ConnectorKit
internal import HTTPServer
internal import JSON
internal import Platform

/// Tells all open pages what changes, for as long as there are any: one look at the daemon serves them all.
///
/// Safe from any thread. While no page is open it does nothing, and nothing wakes it.
final class DashboardFeed: Sendable {
  /// What of the daemon is to be looked at.
  enum Scope: Sendable {
    /// The printer alone.
    case printer
    /// Everything.
    case all
  }
  /// The most streams at a time.
  static let mostStreams = 16
  /// The most streams at a time from one address, unless it is this host's, where a proxy stands for everybody.
  static let mostStreamsPerAddress = 6

  private static let rollCallInterval = Duration.seconds(1)

  private struct State {
    var board = EventBoard()
    var pacer: EventPacer
    /// Open streams by the visitor's address.
    var streams: [String: Int] = [:]
    /// Until when ``run()`` sleeps.
    var sleepsUntil: MonotonicInstant?
    /// When all were spoken to because another one came.
    var lastRollCall: MonotonicInstant?
    /// What the printer's reading was, by which news are told from steady changes.
    var reading: PrinterReading?
    /// The newest outcome that pages were told of, and how many there were.
    var outcomes: UInt64?
    var count: Int { streams.values.reduce(0, +) }
  }
  private let state: Guarded<State>
  private let status: any StatusSource
  private let time: any TimeSource
  private let view: @Sendable (Scope) async -> DaemonView
  private let work = Nudge()
  private let news = Broadcast<Bool>(.newest)

  /// A feed without pages.
  ///
  /// - Parameters:
  ///   - status: what tells that the printer has changed.
  ///   - view: the daemon at this moment; asked when something changed, once for all pages.
  init(
    status: any StatusSource, time: any TimeSource,
    view: @escaping @Sendable (Scope) async -> DaemonView
  ) {
    self.status = status
    self.time = time
    self.view = view
    state = Guarded(State(pacer: EventPacer(at: time.now)))
  }

  /// Something other than the printer's values has changed: a backend's state, a command, a switch. Never blocks, safe
  /// from any thread.
  func noteChange() { note(.news) }

  /// How many pages are open.
  var streamCount: Int { state.withLock { $0.count } }

  /// One more page's stream; nil where there are too many.
  ///
  /// - Parameters:
  ///   - peer: the visitor's address.
  ///   - isFromLoopback: whether that is this host's, so that it may be a proxy.
  func open(for peer: String, isFromLoopback: Bool) -> DashboardStream? {
    let now = time.now
    var isRollCall = false
    let isFirst = state.withLock { state -> Bool? in
      // Who left without a word is found by being spoken to.
      isRollCall =
        state.lastRollCall.map { $0.duration(to: now) >= Self.rollCallInterval } ?? true
      if isRollCall {
        state.board.sendBeat()
        state.lastRollCall = now
      }
      let limit = isFromLoopback ? Self.mostStreams : Self.mostStreamsPerAddress
      guard state.count < Self.mostStreams, state.streams[peer, default: 0] < limit else {
        return nil
      }
      state.streams[peer, default: 0] += 1
      guard state.count == 1 else { return false }
      state.pacer = EventPacer(at: time.now)
      state.pacer.note(.news)
      return true
    }
    if isRollCall { news.send(true) }
    if isFirst == true { work.send() }
    guard isFirst != nil else { return nil }
    return DashboardStream(feed: self, peer: peer, wake: news.subscribe())
  }

  /// A page's stream is over.
  fileprivate func close(_ peer: String) {
    let isLast = state.withLock { state in
      let left = (state.streams[peer] ?? 1) - 1
      state.streams[peer] = left > 0 ? left : nil
      return state.streams.isEmpty
    }
    if isLast { work.send() }
  }

  /// What the page with `cursor` lacks; empty: nothing, or nothing is known yet.
  fileprivate func events(_ cursor: inout EventBoard.Cursor) -> [UInt8] {
    state.withLock { $0.board.events(&cursor) }
  }

  /// Serves until cancelled.
  func run() async {
    let waiter = work.waiter(time)
    while !Task.isCancelled {
      if streamCount > 0 { await serve(waiter) }
      try? await waiter.wait(until: time.now.advanced(by: .seconds(86_400)))
    }
  }

  /// Looks and tells, until the last page has gone.
  private func serve(_ waiter: Nudge.Waiter) async {
    // Never news for the mailbox: the filter itself is what wakes us, and only when it is time.
    let watch = status.snapshots(where: { [weak self] in
      self?.noteSnapshot($0)
      return false
    })
    defer { withExtendedLifetime(watch) {} }
    while !Task.isCancelled, streamCount > 0 {
      let now = time.now
      let due = state.withLock { $0.pacer.take(at: now) }
      if let due { await tell(due.weight, isBeat: due.isBeat) }
      let until = state.withLock { state in
        let until = state.pacer.wake(at: time.now)
        state.sleepsUntil = until
        return until
      }
      try? await waiter.wait(until: until)
      state.withLock { $0.sleepsUntil = nil }
    }
    // What is left would be old when the next page comes.
    state.withLock { state in
      guard state.streams.isEmpty else { return }
      state.board = EventBoard()
      state.outcomes = nil
      state.reading = nil
    }
  }

  private func noteSnapshot(_ status: PrinterStatus) {
    let reading = PrinterReading(status)
    let weight = state.withLock { state -> EventPacer.Weight in
      defer { state.reading = reading }
      return state.reading == reading ? .steady : .news
    }
    note(weight)
  }

  private func note(_ weight: EventPacer.Weight) {
    let mustWake = state.withLock { state in
      guard !state.streams.isEmpty else { return false }
      state.pacer.note(weight)
      guard let sleepsUntil = state.sleepsUntil, state.pacer.due < sleepsUntil else { return false }
      state.sleepsUntil = state.pacer.due
      return true
    }
    if mustWake { work.send() }
  }

  private func tell(_ weight: EventPacer.Weight, isBeat: Bool) async {
    let view = await view(weight == .steady ? .printer : .all)
    let isNews = state.withLock { state in
      var isNews = isBeat
      for (part, body) in EventDocument.parts(view, isWhole: weight != .steady) {
        if state.board.put(part, body) { isNews = true }
      }
      if isBeat { state.board.sendBeat() }
      if weight != .steady, let commands = view.commands {
        let known = state.outcomes ?? commands.outcomes
        let missing = commands.outcomes > known ? commands.outcomes - known : 0
        let told = min(missing, UInt64(commands.recent.count))
        state.board.skip(outcomes: missing - told)
        for record in commands.recent.suffix(Int(told)) {
          state.board.add(outcome: EventDocument.outcome(record, in: view))
          isNews = true
        }
        state.outcomes = commands.outcomes
      }
      return isNews
    }
    if isNews { news.send(true) }
  }
}

/// What of the printer a person acts on; all else changes steadily.
private struct PrinterReading: Hashable {
  let condition: PrinterCondition
  let isCurrent: Bool
  let file: String?
  let targets: [JSONValue?]

  init(_ status: PrinterStatus) {
    condition = PrinterCondition(status)
    isCurrent = status.isCurrent
    file = status.field("print_stats", "filename")?.string
    targets = ["extruder", "heater_bed"].map { status.field($0, "target") }
  }
}

/// The stream of one page; it ends when it is let go.
final class DashboardStream: Sendable {
  /// So long a browser waits before it comes again.
  static let retry = Duration.seconds(3)
  private let feed: DashboardFeed
  private let peer: String
  private let wake: Subscription<Bool>
  private let cursor = Guarded(EventBoard.Cursor())

  fileprivate init(feed: DashboardFeed, peer: String, wake: Subscription<Bool>) {
    self.feed = feed
    self.peer = peer
    self.wake = wake
  }

  deinit { feed.close(peer) }

  /// The next events; nil when the task is cancelled. Asked when the ones before have been taken.
  func next() async -> [UInt8]? {
    while !Task.isCancelled {
      let bytes = cursor.withLock { feed.events(&$0) }
      if !bytes.isEmpty { return bytes }
      guard await wake.next() != nil else { return nil }
    }
    return nil
  }
}
