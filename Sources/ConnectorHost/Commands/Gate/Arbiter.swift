internal import ConnectorKit

/// Who may send what moves or heats: one at a time. A pure state machine; a ticket is a command's number.
struct Arbiter: Sendable {
  /// A command that has or waits for its turn.
  struct Entry: Sendable, Hashable {
    var ticket: UInt64
    var backend: String
    var wireName: String
    var kind: PrinterCommand.Kind
    /// Whether it may begin a job, or go on with one.
    var beginsJob: Bool
  }
  /// What a command gets that asks for its turn.
  enum Answer: Sendable, Hashable {
    /// It is its turn.
    case turn
    /// It waits; somebody will say so.
    case wait
    /// Another backend's command is unfinished.
    case busy(Entry)
    /// Too many wait already.
    case full
    /// An emergency stop is under way.
    case stopped
  }
  /// The most that wait.
  static let maximumWaiting = 32

  /// The command that has its turn.
  private(set) var current: Entry?
  /// Whether the current one may have reached the printer.
  private(set) var isSent = false
  /// Those that wait, in order; all of the current one's backend.
  private(set) var waiting: [Entry] = []
  /// How many emergency stops are unfinished.
  private var stops = 0
  private var isSuperseded = false

  /// Asks for a turn.
  mutating func request(_ entry: Entry) -> Answer {
    if stops > 0 { return .stopped }
    guard let current else {
      take(entry)
      return .turn
    }
    guard current.backend == entry.backend else { return .busy(current) }
    guard waiting.count < Self.maximumWaiting else { return .full }
    waiting.append(entry)
    return .wait
  }

  /// Says that the current command is about to go out.
  ///
  /// - Returns: false where it must not any more.
  mutating func send(_ ticket: UInt64) -> Bool {
    guard current?.ticket == ticket, !isSuperseded else { return false }
    isSent = true
    return true
  }

  /// Ends a command's turn, or its waiting.
  ///
  /// - Returns: the command whose turn it is now.
  mutating func finish(_ ticket: UInt64) -> Entry? {
    guard current?.ticket == ticket else {
      waiting.removeAll { $0.ticket == ticket }
      return nil
    }
    current = nil
    guard !waiting.isEmpty else { return nil }
    let next = waiting.removeFirst()
    take(next)
    return next
  }

  /// An emergency stop goes out: nothing that has not been sent is sent any more.
  ///
  /// - Returns: those that waited.
  mutating func beginStop() -> [Entry] {
    stops += 1
    return supersede { _ in true }
  }

  /// An emergency stop has ended.
  mutating func endStop() { stops = max(0, stops - 1) }

  /// A cancel goes out: what begins a job and has not been sent is sent no more.
  ///
  /// - Returns: those that waited, and whether there was any: also the current one may have been.
  mutating func cancelStarts() -> (waiting: [Entry], isAny: Bool) {
    let ended = supersede(\.beginsJob)
    return (ended, !ended.isEmpty || (isSuperseded && current?.beginsJob ?? false))
  }

  /// Whether an emergency stop is under way.
  var isStopping: Bool { stops > 0 }

  /// Whether what begins a job has been sent and not been answered yet.
  var isStarting: Bool { isSent && current?.beginsJob ?? false && current?.kind != .resume }

  /// Whether a command has or waits for its turn.
  func holds(_ ticket: UInt64) -> Bool {
    current?.ticket == ticket || waiting.contains { $0.ticket == ticket }
  }

  private mutating func supersede(_ isMeant: (Entry) -> Bool) -> [Entry] {
    if let current, !isSent, isMeant(current) { isSuperseded = true }
    let ended = waiting.filter(isMeant)
    waiting.removeAll(where: isMeant)
    return ended
  }

  private mutating func take(_ entry: Entry) {
    current = entry
    isSent = false
    isSuperseded = false
  }
}
