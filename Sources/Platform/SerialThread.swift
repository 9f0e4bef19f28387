internal import CPlatform
internal import Glibc

/// A thread of its own for work that may block for long: one piece after the other, in the order of the calls.
///
/// Other than ``offload(_:)``, it shares no thread with anybody: a disk that hangs stops its own callers only. The
/// thread is made when there is work, and is gone after some idle seconds.
@safe
package final class SerialThread: @unchecked Sendable {
  // @unchecked: everything below is touched under `mutex` only.
  private let name: String
  private let limit: Int
  private let idleSeconds: Int
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var waiting: [@Sendable () -> Void] = []
  private var isRunning = false

  /// A thread that does not run yet.
  ///
  /// - Parameters:
  ///   - name: at most 15 bytes; shown by `ps` and `top`.
  ///   - limit: how many pieces of work may wait, at least 1.
  ///   - idleSeconds: how long it waits for more before it ends.
  package init(name: String, limit: Int = 1_000, idleSeconds: Int = 5) {
    self.name = name
    self.limit = max(1, limit)
    self.idleSeconds = idleSeconds
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

  /// Runs `work` after all that was handed in before. Never blocks, safe from any thread.
  ///
  /// - Returns: false when it will not be run: too much waits already, or no thread can be had.
  package func run(_ work: @escaping @Sendable () -> Void) -> Bool {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    guard waiting.count < limit else { return false }
    if !isRunning {
      // Under the lock: nobody may hand in work to a thread that then cannot be made.
      guard startThread(named: name, { self.serve() }) else { return false }
      isRunning = true
    }
    waiting.append(work)
    unsafe pthread_cond_signal(condition)
    return true
  }

  private func serve() {
    unsafe pthread_mutex_lock(mutex)
    while true {
      if !waiting.isEmpty {
        perform(waiting.removeFirst())
        continue
      }
      var deadline = timespec()
      unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
      deadline.tv_sec += idleSeconds
      let status = unsafe pthread_cond_timedwait(condition, mutex, &deadline)
      if status == ETIMEDOUT && waiting.isEmpty { break }
    }
    isRunning = false
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Runs one piece without the lock; what it holds is released before the next one.
  private func perform(_ work: @Sendable () -> Void) {
    unsafe pthread_mutex_unlock(mutex)
    work()
    unsafe pthread_mutex_lock(mutex)
  }
}
