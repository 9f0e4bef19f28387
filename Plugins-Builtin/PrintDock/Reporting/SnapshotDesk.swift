internal import ConnectorKit
internal import JSON
internal import Platform

/// Where all snapshots leave: the regular ones, those of a new state, those after a command. They share one schedule,
/// so that what one has told is not told again by another.
final class SnapshotDesk: Sendable {
  private let session: Session
  private let encoder: SnapshotEncoder
  private let schedule: Guarded<SnapshotSchedule>
  /// Klipper's time in the snapshot that is on its way; nil: none is.
  private let underWay = Guarded<JSONNumber?>(nil)
  private let arrival = Nudge()

  /// - Parameter interval: the time between two regular snapshots.
  init(session: Session, interval: Duration, hidesFilePath: Bool) {
    self.session = session
    encoder = SnapshotEncoder(
      printerID: session.identity.printerID, hidesFilePath: hidesFilePath)
    schedule = Guarded(
      SnapshotSchedule(
        interval: interval, startingAt: session.context.time.now,
        random: session.context.random()))
  }

  /// What to do now; `state` as in ``SnapshotSchedule/decide(at:state:)``.
  func decide(state: String?) -> SnapshotSchedule.Decision {
    schedule.withLock { $0.decide(at: session.context.time.now, state: state) }
  }

  /// Whether a failure keeps snapshots back now.
  var isHeld: Bool { schedule.withLock { $0.isHeld(at: session.context.time.now) } }

  /// Starts anew after a time in which nothing was sent.
  func resume() { schedule.withLock { $0.resume() } }

  /// Sends `status`; false where there is nothing to tell of it yet. One snapshot is on its way at a time; if that is of
  /// the same moment, it will do.
  ///
  /// - Throws: `CancellationError`; what goes wrong at PrintDock is in the standing.
  @discardableResult func send(_ status: PrinterStatus) async throws -> Bool {
    let time = session.context.time
    guard let state = status.printState, let moment = status.eventtime else { return false }
    let waiter = arrival.waiter(time)
    while let other = begin(moment) {
      try await waiter.wait(until: time.now.advanced(by: .seconds(5)))
      if other == moment { return true }
    }
    defer {
      underWay.withLock { $0 = nil }
      arrival.send()
    }
    guard let body = encoder.body(of: status, at: time.now, wallTime: time.wallTime) else {
      return false
    }
    let start = time.now
    let error = try await session.failure {
      try await session.client.snapshots(body, as: session.identity)
    }
    schedule.withLock {
      $0.ended(
        state, startedAt: start, endedAt: time.now, error: error, random: session.context.random())
    }
    session.ended(.snapshot, error)
    return true
  }

  /// The moment of the snapshot that is on its way already; nil: ours is now.
  private func begin(_ moment: JSONNumber) -> JSONNumber? {
    underWay.withLock { underWay in
      if let underWay { return underWay }
      underWay = moment
      return nil
    }
  }

  /// Sends `status` once, for a single round.
  ///
  /// - Throws: `CloudError`, `CancellationError`.
  func sendOnce(_ status: PrinterStatus) async throws -> Bool {
    let time = session.context.time
    guard let body = encoder.body(of: status, at: time.now, wallTime: time.wallTime) else {
      return false
    }
    try await session.client.snapshots(body, as: session.identity)
    return true
  }
}
