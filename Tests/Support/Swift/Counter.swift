internal import Platform

/// Counts up, from any thread.
package final class Counter: Sendable {
  /// Counts from zero.
  package init() {}
  private let count = Guarded(0)
  /// The count.
  package var value: Int { count.withLock { $0 } }
  /// Adds one.
  ///
  /// - Returns: the new count.
  @discardableResult
  package func increment() -> Int {
    count.withLock {
      $0 += 1
      return $0
    }
  }
}
