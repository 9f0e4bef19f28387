internal import Platform

/// Counts the entries that an outbox lost beside a `put`, until somebody asks. Safe from any thread.
final class StoreDrops: Sendable {
  private let counts = Guarded<[String: Int]>([:])

  func note(_ count: Int, of backend: String) {
    guard count > 0 else { return }
    counts.withLock { $0[backend, default: 0] += count }
  }

  func take(_ backend: String) -> Int { counts.withLock { $0.removeValue(forKey: backend) ?? 0 } }
}
