/// Where time comes from: the system in what ships, a manual clock in tests.
package protocol TimeSource: Sendable {
  /// The present moment of the monotonic clock.
  var now: MonotonicInstant { get }

  /// The present moment of the wall clock.
  var wallTime: WallTime { get }

  /// Suspends until `deadline`; returns at once when it has passed.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  func sleep(until deadline: MonotonicInstant) async throws
}

extension TimeSource {
  /// Suspends for `duration`; see ``sleep(until:)``.
  package func sleep(for duration: Duration) async throws {
    try await sleep(until: now.advanced(by: duration))
  }
}
