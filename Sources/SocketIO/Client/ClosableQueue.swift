internal import Platform

/// Elements in order for one task that takes them, with an end behind the last one. Safe from any thread.
final class ClosableQueue<Element: Sendable>: Sendable {
  private struct Waiter {
    var id: Int
    var continuation: CheckedContinuation<Result<Element, SocketIOFailure>, Never>
  }
  private struct State {
    var elements: [(element: Element, cost: Int)] = []
    var cost = 0
    var end: SocketIOClosure?
    var nextID = 0
    /// Waits only while there is no element and no end. One by contract; more are served in turn.
    var waiters: [Waiter] = []

    mutating func takeFirst() -> Result<Element, SocketIOFailure>? {
      guard !elements.isEmpty else { return end.map { .failure(.closed($0)) } }
      let (element, cost) = elements.removeFirst()
      self.cost -= cost
      return .success(element)
    }
  }
  private let countLimit: Int
  private let costLimit: Int
  private let state = Guarded(State())

  init(countLimit: Int, costLimit: Int) {
    self.countLimit = countLimit
    self.costLimit = costLimit
  }

  /// Appends an element.
  ///
  /// - Returns: false where too much waits already; the element then is dropped.
  func put(_ element: Element, cost: Int) -> Bool {
    let (waiter, isTaken) = state.withLock { state -> (Waiter?, Bool) in
      if !state.waiters.isEmpty { return (state.waiters.removeFirst(), true) }
      guard state.end == nil, state.elements.count < countLimit, state.cost <= costLimit - cost
      else {
        return (nil, false)
      }
      state.elements.append((element, cost))
      state.cost += cost
      return (nil, true)
    }
    waiter?.continuation.resume(returning: .success(element))
    return isTaken
  }

  /// Says why no element comes any more; the first reason counts. What waits to be taken still is.
  func finish(_ closure: SocketIOClosure) {
    let (waiters, end) = state.withLock { state in
      let end = state.end ?? closure
      state.end = end
      defer { state.waiters = [] }
      return (state.waiters, end)
    }
    for waiter in waiters { waiter.continuation.resume(returning: .failure(.closed(end))) }
  }

  /// The next element.
  ///
  /// - Throws: `.closed` behind the last one, `.cancelled`.
  func next() async throws(SocketIOFailure) -> Element {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let outcome = state.withLock { state -> Result<Element, SocketIOFailure>? in
          if Task.isCancelled { return .failure(.cancelled) }
          if let outcome = state.takeFirst() { return outcome }
          state.waiters.append(Waiter(id: id, continuation: continuation))
          return nil
        }
        if let outcome { continuation.resume(returning: outcome) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
      }
      waiter?.continuation.resume(returning: .failure(.cancelled))
    }.get()
  }
}
