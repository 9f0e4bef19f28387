internal import CPlatform
internal import Glibc

/// A few threads for blocking work, made when there is work and gone after some idle seconds.
///
/// Not a dispatch queue: a concurrent one shares its threads with the cooperative pool.
@safe
final class WorkerThreads: @unchecked Sendable {
  // @unchecked: everything below is touched under `mutex` only.
  static let shared = WorkerThreads(limit: 4, idleSeconds: 5)

  private let limit: Int
  private let idleSeconds: Int
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var waiting: [@Sendable () -> Void] = []
  private var threads = 0
  private var idle = 0

  /// At most `limit` threads, each of which ends after `idleSeconds` without work.
  init(limit: Int, idleSeconds: Int) {
    self.limit = limit
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

  /// How many threads there are now.
  var threadCount: Int {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return threads
  }

  /// Runs `work` on one of the threads, in the order of the calls as far as threads are free.
  func run(_ work: @escaping @Sendable () -> Void) {
    unsafe pthread_mutex_lock(mutex)
    waiting.append(work)
    let needsThread = waiting.count > idle && threads < limit
    if needsThread { threads += 1 } else { unsafe pthread_cond_signal(condition) }
    unsafe pthread_mutex_unlock(mutex)
    guard needsThread, !startThread(named: "worker", { self.serve() }) else { return }
    // No thread to be had: another one takes it, and where there is none, it is done here.
    unsafe pthread_mutex_lock(mutex)
    threads -= 1
    let own = threads == 0 ? waiting : []
    if threads == 0 { waiting = [] }
    unsafe pthread_mutex_unlock(mutex)
    for work in own { work() }
  }

  private func serve() {
    unsafe pthread_mutex_lock(mutex)
    while true {
      if !waiting.isEmpty {
        let work = waiting.removeFirst()
        unsafe pthread_mutex_unlock(mutex)
        work()
        unsafe pthread_mutex_lock(mutex)
        continue
      }
      idle += 1
      var deadline = timespec()
      unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
      deadline.tv_sec += idleSeconds
      let status = unsafe pthread_cond_timedwait(condition, mutex, &deadline)
      idle -= 1
      if status == ETIMEDOUT && waiting.isEmpty { break }
    }
    threads -= 1
    unsafe pthread_mutex_unlock(mutex)
  }
}
