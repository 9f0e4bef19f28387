internal import ConnectorKit
internal import Platform

/// Commands that wait for their turn, in order, for one reader.
final class WaitingLine: Sendable {
  /// A command's place.
  struct Place: Sendable {
    var order: CommandOrder
    var contact: CommandContact
    /// What had overtaken when it came, up to this number, ends before its turn.
    fileprivate var behind: Int
  }
  private struct State {
    var waiting: [Place] = []
    var contentBytes = 0
    var isClosed = false
    /// Whether the command that has its turn is a start or a resume.
    var isBeginning = false
    /// The numbers of those that have overtaken and have not ended.
    var overtaking: Set<Int> = []
    var lastNumber = 0

    /// The first, when nothing that it came behind is unfinished.
    mutating func takeFirst() -> Place? {
      guard !isClosed, let first = waiting.first,
        !overtaking.contains(where: { $0 <= first.behind })
      else { return nil }
      isBeginning = first.order.task.begins
      return waiting.removeFirst()
    }
  }
  private let state = Guarded(State())
  private let bell = Broadcast<Bool>(.newest)
  private let mailbox: Subscription<Bool>

  init() { mailbox = bell.subscribe() }

  /// How many wait.
  var count: Int { state.withLock { $0.waiting.count } }

  /// How many have overtaken and have not ended.
  var overtakingCount: Int { state.withLock { $0.overtaking.count } }

  /// How many bytes of answers are kept for uploads that wait or are under way.
  var contentBytes: Int { state.withLock { $0.contentBytes } }

  /// A place for a command that came now.
  func place(for order: CommandOrder, _ contact: CommandContact) -> Place {
    Place(order: order, contact: contact, behind: state.withLock { $0.lastNumber })
  }

  /// Puts commands at the end.
  func append(_ places: [Place]) {
    guard !places.isEmpty else { return }
    state.withLock { state in
      state.waiting += places
      state.contentBytes += places.reduce(0) { $0 + $1.order.task.contentBytes }
    }
    bell.send(true)
  }

  /// Puts a command behind the last start or resume; false where none waits or is under way.
  func insertBehindBeginnings(_ place: Place) -> Bool {
    let isIn = state.withLock { state in
      let last = state.waiting.lastIndex(where: \.order.task.begins)
      guard last != nil || state.isBeginning else { return false }
      state.waiting.insert(place, at: last.map { $0 + 1 } ?? 0)
      return true
    }
    if isIn { bell.send(true) }
    return isIn
  }

  /// Takes out the starts and resumes that wait.
  func removeBeginnings() -> [Place] {
    state.withLock { state in
      let removed = state.waiting.filter(\.order.task.begins)
      state.waiting.removeAll(where: \.order.task.begins)
      return removed
    }
  }

  /// A command overtakes; what comes from now on waits until it has ended.
  func beginOvertaking() -> Int {
    state.withLock { state in
      state.lastNumber += 1
      state.overtaking.insert(state.lastNumber)
      return state.lastNumber
    }
  }

  /// A command that overtook has ended.
  func endOvertaking(_ number: Int) {
    state.withLock { _ = $0.overtaking.remove(number) }
    bell.send(true)
  }

  /// The command whose turn it is; waits for one. Nil when the task is cancelled or the line closed.
  func next() async -> (CommandOrder, CommandContact)? {
    while !Task.isCancelled {
      let (first, isClosed) = state.withLock { ($0.takeFirst(), $0.isClosed) }
      if let first { return (first.order, first.contact) }
      if isClosed { return nil }
      guard await mailbox.next() != nil else { return nil }
    }
    return nil
  }

  /// A command that had its turn has ended.
  func ended(_ order: CommandOrder) {
    state.withLock { state in
      state.contentBytes -= order.task.contentBytes
      state.isBeginning = false
    }
  }

  /// Nobody has a turn any more.
  func close() {
    state.withLock { $0.isClosed = true }
    bell.send(true)
  }

  /// Takes out what still waits.
  func remaining() -> [Place] {
    state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
  }
}

extension CommandTask {
  /// How many bytes of the answer it keeps.
  fileprivate var contentBytes: Int {
    if case .uploadFile(_, let content) = self { content.count } else { 0 }
  }
}
