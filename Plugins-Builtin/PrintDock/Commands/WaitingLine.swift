internal import ConnectorKit
internal import Platform

/// Commands that wait for their turn, in order, for one reader.
final class WaitingLine: Sendable {
  private typealias Place = (order: CommandOrder, contact: CommandContact)
  private struct State {
    var waiting: [Place] = []
    var contentBytes = 0
    var isClosed = false
  }
  private let state = Guarded(State())
  private let bell = Broadcast<Bool>(.newest)
  private let mailbox: Subscription<Bool>

  init() { mailbox = bell.subscribe() }

  /// How many wait.
  var count: Int { state.withLock { $0.waiting.count } }

  /// How many bytes of answers are kept for uploads that wait or are under way.
  var contentBytes: Int { state.withLock { $0.contentBytes } }

  /// Puts a command at the end.
  func append(_ order: CommandOrder, _ contact: CommandContact) {
    state.withLock { state in
      state.waiting.append((order, contact))
      state.contentBytes += order.task.contentBytes
    }
    bell.send(true)
  }

  /// Takes out what would start or go on with a job.
  func takeStarts() -> [CommandOrder] {
    state.withLock { state in
      let starts = state.waiting.map(\.order).filter(\.task.starts)
      state.waiting.removeAll { $0.order.task.starts }
      return starts
    }
  }

  /// The command whose turn it is; waits for one. Nil when the task is cancelled or the line closed.
  func next() async -> (CommandOrder, CommandContact)? {
    while !Task.isCancelled {
      let (first, isClosed) = state.withLock { state -> (Place?, Bool) in
        let isFree = !state.isClosed && !state.waiting.isEmpty
        return (isFree ? state.waiting.removeFirst() : nil, state.isClosed)
      }
      if let first { return first }
      if isClosed { return nil }
      guard await mailbox.next() != nil else { return nil }
    }
    return nil
  }

  /// A command that had its turn has ended.
  func ended(_ order: CommandOrder) {
    state.withLock { $0.contentBytes -= order.task.contentBytes }
  }

  /// Nobody has a turn any more.
  func close() {
    state.withLock { $0.isClosed = true }
    bell.send(true)
  }

  /// Takes out what still waits.
  func remaining() -> [CommandOrder] {
    state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting.map(\.order)
    }
  }
}

extension CommandTask {
  /// How many bytes of the answer it keeps.
  fileprivate var contentBytes: Int {
    if case .uploadFile(_, let content) = self { content.count } else { 0 }
  }
}
