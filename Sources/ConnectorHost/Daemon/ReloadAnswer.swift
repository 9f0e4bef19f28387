internal import Platform

/// What became of a reload or a change that a person has asked for. Safe from any thread.
final class ReloadAnswer: Sendable {
  private let done = Completion()
  private let result = Guarded(ControlResult.failed(""))

  /// Says that it is over.
  func end(_ new: ControlResult) {
    result.withLock { $0 = new }
    done.complete()
  }

  /// Waits until it is over.
  func wait() async -> ControlResult {
    await done.wait()
    return result.withLock { $0 }
  }
}
