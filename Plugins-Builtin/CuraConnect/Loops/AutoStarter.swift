internal import ConnectorKit
internal import Platform

/// Starts what waits, where the owner wants that: when the printer is idle and the bed known to be clear.
struct AutoStarter: Sendable {
  /// How often the bed is looked at while something waits for it.
  private static let interval = Duration.seconds(5)
  /// So long a job is not tried again that was refused.
  private static let pause = Duration.seconds(30)
  let hub: CuraHub

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    let time = hub.context.time
    let waiter = hub.changed.waiter(time)
    var notBefore = time.now
    // Since when nothing has been printed, as far as we have watched.
    var quietSince: MonotonicInstant?
    while true {
      let reading = hub.reading
      let isQuiet = reading.isReachable && !reading.isJobOn
      quietSince = isQuiet ? quietSince ?? time.now : nil
      let candidate = self.candidate
      var next = time.now.advanced(by: candidate == nil ? .seconds(86_400) : Self.interval)
      if let uuid = candidate?.uuid, time.now >= notBefore, mayStart(quietSince, at: time.now) {
        let answer = await JobDesk(hub: hub).start(
          uuid, wireName: "auto_start", .itself,
          assumesClearAfter: hub.configuration.assumeClearAfter, since: time.now)
        if answer.status != 200 { notBefore = time.now.advanced(by: Self.pause) }
        next = time.now.advanced(by: Self.interval)
      }
      try await waiter.wait(until: next)
    }
  }

  /// The job that may start by itself; nil: none.
  private var candidate: CuraJob? {
    // What a former connection held may have been taken out meanwhile.
    guard hub.isQueueSeen, let first = hub.queue.first else { return nil }
    if first.isForced { return first }
    guard hub.configuration.autoStart == .always else { return nil }
    return first.isGriffin && !hub.configuration.allowsGriffin ? nil : first
  }

  /// Whether the gate is asked at all: each start that it refuses is noted and shown.
  private func mayStart(_ quietSince: MonotonicInstant?, at now: MonotonicInstant) -> Bool {
    guard let quietSince else { return false }
    if hub.context.isBedClear() { return true }
    return hub.configuration.assumeClearAfter.map { quietSince.duration(to: now) >= $0 } ?? false
  }
}
