internal import ConnectorKit
internal import JSON

/// How Moonraker's history remembers a job.
struct PastJob: Sendable, Hashable {
  var isComplete: Bool
  var counts: JobCounts

  /// Finds the newest job of a file in what the history was answered with; nil where it is not there, or still runs.
  init?(_ answer: JSONValue?, path: String) {
    guard let job = answer?["jobs"]?.array?.first(where: { $0["filename"]?.string == path }),
      let status = job["status"]?.string, status != "in_progress"
    else { return nil }
    isComplete = status == "completed"
    func number(_ key: String) -> Int {
      guard let value = job[key]?.double, value.isFinite else { return 0 }
      return PolarReading.whole(value)
    }
    counts = JobCounts(
      printSeconds: number("print_duration"), filamentUsed: number("filament_used"))
  }
}
