import Platform

/// Runs tasks one job at a time, when the test says so and in the order that it chooses: every interleaving can be had
/// again.
final class SteppingExecutor: TaskExecutor {
  private let jobs = Guarded<[UnownedJob]>([])

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
  }

  /// Runs what is ready until nothing is; `pick` chooses among so many.
  func drain(_ pick: (Int) -> Int = { _ in 0 }) {
    while let job = jobs.withLock({ $0.isEmpty ? nil : $0.remove(at: pick($0.count)) }) {
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }

  /// Runs at most `count` jobs.
  func run(_ count: Int, _ pick: (Int) -> Int = { _ in 0 }) {
    for _ in 0..<count {
      guard let job = jobs.withLock({ $0.isEmpty ? nil : $0.remove(at: pick($0.count)) }) else {
        return
      }
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
