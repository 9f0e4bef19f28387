package import ConnectorKit

/// Follows print jobs by `print_stats` alone: each job's start and end is told once, whatever else happens.
///
/// Moonraker's history is no help here: it ends the record of a job that outlives a restart of Moonraker.
/// A job that ran when we came is followed without a `started`. Where a job's end was not seen (it ended while
/// Moonraker was away, or `print_stats` was reset), it is told as `cancelled`, the one end that claims least.
package struct JobTracker: Sendable {
  private struct Job: Sendable {
    var number: UInt64
    var filename: String
    var isPaused: Bool
    var totalDuration: Double
  }
  private var job: Job?
  private var count: UInt64 = 0
  /// Whether `print_stats` has been seen at all.
  private var hasSeenPrinter = false
  /// Set when a job failed because Klippy stopped: `print_stats` may go on saying `printing` for a second.
  private var mayLinger = false

  /// A tracker that has seen nothing.
  package init() {}

  /// Takes in what the printer says now; called for current values only.
  ///
  /// - Parameters:
  ///   - state: `print_stats.state`.
  ///   - filename: `print_stats.filename`.
  ///   - totalDuration: `print_stats.total_duration` in seconds, where it is subscribed.
  package mutating func observe(
    state: String, filename: String, totalDuration: Double?, _ events: inout [PrinterEvent]
  ) {
    let isFirst = !hasSeenPrinter
    hasSeenPrinter = true
    guard state == "printing" || state == "paused" else {
      mayLinger = false
      end(Self.end(of: state), &events)
      return
    }
    guard !mayLinger else { return }

    if let running = job {
      // A file cannot start over or change without an end between: what was followed is over.
      let startedOver = totalDuration.map { $0 + 1 < running.totalDuration } ?? false
      if running.filename != filename || startedOver { end(.cancelled, &events) }
    }
    let isPaused = state == "paused"
    guard var running = job else {
      count &+= 1
      job = Job(
        number: count, filename: filename, isPaused: isPaused, totalDuration: totalDuration ?? 0)
      if !isFirst {
        events.append(.job(.started, job: count, filename: filename))
        if isPaused { events.append(.job(.paused, job: count, filename: filename)) }
      }
      return
    }
    if running.isPaused != isPaused {
      running.isPaused = isPaused
      events.append(
        .job(isPaused ? .paused : .resumed, job: running.number, filename: running.filename))
    }
    running.totalDuration = totalDuration ?? running.totalDuration
    job = running
  }

  /// Takes in Klippy's state: a job does not outlive Klippy, nor its shutdown.
  ///
  /// Not called when Moonraker goes: the job goes on without it.
  package mutating func klippyChanged(_ state: KlippyState, _ events: inout [PrinterEvent]) {
    switch state {
    case .shutdown:
      if job != nil { mayLinger = true }
      end(.failed, &events)
    case .disconnected, .error:
      end(.failed, &events)
      mayLinger = false
    case .startup, .ready: mayLinger = false
    }
  }

  private mutating func end(_ event: JobEvent, _ events: inout [PrinterEvent]) {
    guard let running = job else { return }
    job = nil
    events.append(.job(event, job: running.number, filename: running.filename))
  }

  private static func end(of state: String) -> JobEvent {
    switch state {
    case "complete": .finished
    case "error": .failed
    default: .cancelled
    }
  }
}
