internal import Glibc

/// A value that is reached under a lock only.
///
/// A heap `pthread_mutex_t` rather than `Synchronization.Mutex`: ThreadSanitizer reports false
/// races for the latter on Linux. (It does so here for a `Value` without storage: guard something,
/// not `Void`.) Safe from any thread; `body` must not block.
@safe
package final class Guarded<Value>: @unchecked Sendable {
  // @unchecked: `value` is touched in `withLock` only, under `mutex`.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var value: Value

  /// Takes ownership of `value`.
  package init(_ value: Value) {
    unsafe mutex = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    self.value = value
  }

  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  /// Runs `body` with exclusive access to the value and hands its result on.
  package func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
