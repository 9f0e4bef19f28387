internal import CPlatform
internal import Glibc

/// A lock with a condition to wait for, on the clock that nobody sets.
///
/// For threads that wait for work. Safe from any thread; whoever locks, unlocks.
@safe
final class ConditionLock: @unchecked Sendable {
  // @unchecked: both are what POSIX shares between threads.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe condition.deallocate()
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  func lock() { unsafe pthread_mutex_lock(mutex) }
  func unlock() { unsafe pthread_mutex_unlock(mutex) }

  /// Wakes one who waits.
  func signal() { unsafe pthread_cond_signal(condition) }

  /// Waits, unlocked meanwhile, for a signal; now and then it returns without one.
  ///
  /// - Returns: false when `seconds` have passed.
  func wait(seconds: Int) -> Bool {
    var deadline = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
    deadline.tv_sec += seconds
    return unsafe pthread_cond_timedwait(condition, mutex, &deadline) != ETIMEDOUT
  }
}
