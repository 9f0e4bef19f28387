/// A thread of its own for work that may block for long: one piece after the other, in the order of the calls.
///
/// Other than ``offload(_:)``, it shares no thread with anybody: a disk that hangs stops its own callers only. The
/// thread is made when there is work, and is gone after some idle seconds.
package final class SerialThread: @unchecked Sendable {
  // @unchecked: everything below is touched under `lock` only.
  private let name: String
  private let limit: Int
  private let idleSeconds: Int
  private let lock = ConditionLock()
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
  }

  /// Runs `work` after all that was handed in before. Never blocks, safe from any thread.
  ///
  /// - Returns: false when it will not be run: too much waits already, or no thread can be had.
  package func run(_ work: @escaping @Sendable () -> Void) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    guard waiting.count < limit else { return false }
    if !isRunning {
      // Under the lock: nobody may hand in work to a thread that then cannot be made.
      guard startThread(named: name, { self.serve() }) else { return false }
      isRunning = true
    }
    waiting.append(work)
    lock.signal()
    return true
  }

  private func serve() {
    lock.lock()
    while true {
      if !waiting.isEmpty {
        perform(waiting.removeFirst())
        continue
      }
      if !lock.wait(seconds: idleSeconds) && waiting.isEmpty { break }
    }
    isRunning = false
    lock.unlock()
  }

  /// Runs one piece without the lock; what it holds is released before the next one.
  private func perform(_ work: @Sendable () -> Void) {
    lock.unlock()
    work()
    lock.lock()
  }
}
