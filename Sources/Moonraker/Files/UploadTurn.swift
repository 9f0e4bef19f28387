internal import Platform

/// Lets one upload go after the other, in the order in which they came.
///
/// Moonraker names the file that an upload grows in by its own whole second: two that begin in the same one would write
/// into one file, and spoil each other.
final class UploadTurn: Sendable {
  private struct Waiter {
    var number: Int
    var continuation: AsyncStream<Never>.Continuation
  }
  private struct State {
    var isTaken = false
    var waiting: [Waiter] = []
    var lastNumber = 0
  }
  private let state = Guarded(State())

  /// Waits for the turn; whoever got it gives it back with ``leave()``.
  ///
  /// - Returns: false where the task was cancelled before it came.
  func enter() async -> Bool {
    let place = state.withLock { state -> (number: Int, turn: AsyncStream<Never>)? in
      guard state.isTaken else {
        state.isTaken = true
        return nil
      }
      let (turn, continuation) = AsyncStream.makeStream(of: Never.self)
      state.lastNumber &+= 1
      state.waiting.append(Waiter(number: state.lastNumber, continuation: continuation))
      return (state.lastNumber, turn)
    }
    guard let place else { return true }
    for await _ in place.turn {}
    return state.withLock { state in
      guard let index = state.waiting.firstIndex(where: { $0.number == place.number }) else {
        return true
      }
      state.waiting.remove(at: index)
      return false
    }
  }

  /// Hands the turn to the next.
  func leave() {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isTaken = false
        return
      }
      state.waiting.removeFirst().continuation.finish()
    }
  }
}
