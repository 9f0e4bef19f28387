internal import ConnectorKit
internal import Platform

/// Work that goes on when its request has been answered: a cancel that takes a minute, a job on its way into the queue. All
/// of it ends with the backend.
final class SideWork: Sendable {
  /// One piece of work.
  typealias Work = @Sendable () async -> Void
  /// The most that may wait to be begun; it is begun at once as a rule.
  private static let most = 256
  private let time: any TimeSource
  private let orders: AsyncStream<Work>
  private let inlet: AsyncStream<Work>.Continuation

  /// Nothing to do yet.
  init(time: any TimeSource) {
    self.time = time
    (orders, inlet) = AsyncStream.makeStream(
      of: Work.self, bufferingPolicy: .bufferingOldest(Self.most))
  }

  /// Has `work` done beside all other. Never blocks.
  ///
  /// - Returns: false where there is too much to do already.
  @discardableResult func add(_ work: @escaping Work) -> Bool {
    if case .enqueued = inlet.yield(work) { true } else { false }
  }

  /// Has `work` done, and waits for it, but not for longer than `limit`.
  ///
  /// - Returns: what it yields; nil where it goes on.
  func result<Result: Sendable>(
    within limit: Duration, of work: @escaping @Sendable () async -> Result
  ) async -> Result? {
    let end = Broadcast<Result>(.newest)
    let mailbox = end.subscribe()
    guard add({ end.send(await work()) }) else { return await work() }
    return await withTaskGroup(of: Result?.self) { group in
      group.addTask { await mailbox.next() }
      group.addTask { [time] in
        try? await time.sleep(for: limit)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }

  /// Does what is added, until cancelled; then what runs is cancelled and waited for.
  func run() async {
    await withDiscardingTaskGroup { group in
      for await work in orders { group.addTask { await work() } }
      group.cancelAll()
    }
  }
}
