internal import Platform

/// What became of a reload that a person has asked for. Safe from any thread.
final class ReloadAnswer: Sendable {
  private let done = Completion()
  private let problem = Guarded<String?>(nil)

  /// Says that it is over: why the former configuration goes on, nil where the new one is in force.
  func end(problem text: String?) {
    problem.withLock { $0 = text }
    done.complete()
  }

  /// Waits until it is over.
  ///
  /// - Returns: why the former configuration goes on; nil where the new one is in force.
  func wait() async -> String? {
    await done.wait()
    return problem.withLock { $0 }
  }
}
