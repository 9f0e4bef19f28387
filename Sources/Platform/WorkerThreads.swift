/// A few threads for blocking work, made when there is work and gone after some idle seconds.
///
/// Not a dispatch queue: a concurrent one shares its threads with the cooperative pool.
final class WorkerThreads: @unchecked Sendable {
  // @unchecked: everything below is touched under `lock` only.
  static let shared = WorkerThreads(limit: 4, idleSeconds: 5)

  private let limit: Int
  private let idleSeconds: Int
  private let lock = ConditionLock()
  private var waiting: [@Sendable () -> Void] = []
  private var threads = 0
  private var idle = 0

  /// At most `limit` threads, each of which ends after `idleSeconds` without work.
  init(limit: Int, idleSeconds: Int) {
    self.limit = limit
    self.idleSeconds = idleSeconds
  }

  /// How many threads there are now.
  var threadCount: Int {
    lock.lock()
    defer { lock.unlock() }
    return threads
  }

  /// Runs `work` on one of the threads, in the order of the calls as far as threads are free.
  func run(_ work: @escaping @Sendable () -> Void) {
    lock.lock()
    waiting.append(work)
    let needsThread = waiting.count > idle && threads < limit
    if needsThread { threads += 1 } else { lock.signal() }
    lock.unlock()
    guard needsThread, !startThread(named: "worker", { self.serve() }) else { return }
    // No thread to be had: another one takes it, and where there is none, it is done here.
    lock.lock()
    threads -= 1
    let own = threads == 0 ? waiting : []
    if threads == 0 { waiting = [] }
    lock.unlock()
    for work in own { work() }
  }

  private func serve() {
    lock.lock()
    while true {
      if !waiting.isEmpty {
        let work = waiting.removeFirst()
        lock.unlock()
        work()
        lock.lock()
        continue
      }
      idle += 1
      let isInTime = lock.wait(seconds: idleSeconds)
      idle -= 1
      if !isInTime && waiting.isEmpty { break }
    }
    threads -= 1
    lock.unlock()
  }
}
