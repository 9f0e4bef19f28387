package import ConnectorKit
package import Platform

/// The one cache of the printer's status: the Moonraker link writes, every backend reads.
///
/// A snapshot is published when something changed, at once and to all. The host's load changes every second and is
/// therefore no change: it is put into snapshots when they are published and into ``current`` when it is read.
package final class StatusCache: StatusSource {
  private struct State {
    var status: StatusState
    var lastHeard: MonotonicInstant?
    var webcamsRevision: UInt64 = 0
  }
  private let time: any TimeSource
  private let state: Guarded<State>
  private let snapshotLane = Broadcast<PrinterStatus>(.newest)
  private let eventLane = Broadcast<PrinterEvent>(.queue(256))

  /// An empty cache.
  package init(time: any TimeSource) {
    self.time = time
    state = Guarded(State(status: StatusState(startedAt: time.now, wallTime: time.wallTime)))
  }

  /// The newest snapshot with the newest load of the host. Never blocks for long, safe from any thread.
  package var current: PrinterStatus { state.withLock { Self.snapshot($0.status) } }

  /// When the newest frame came from Moonraker; nil before the first.
  package var lastHeard: MonotonicInstant? { state.withLock { $0.lastHeard } }

  /// A number that another one follows whenever the list of webcams may have changed: Moonraker has said so, or its
  /// connection came or went.
  package var webcamsRevision: UInt64 { state.withLock { $0.webcamsRevision } }

  /// The state lane: the newest snapshot first, then each newer one that is news and that the reader keeps up with.
  package func snapshots(
    where isNews: (@Sendable (PrinterStatus) -> Bool)?
  ) -> Subscription<PrinterStatus> {
    // Under the lock, so that no snapshot falls between the first one and the following.
    state.withLock {
      snapshotLane.subscribe(startingWith: Self.snapshot($0.status), where: isNews)
    }
  }

  /// The event lane: what happens from now on, in order, up to 256 events behind.
  package func events() -> Subscription<PrinterEvent> { eventLane.subscribe() }

  /// Notes that a frame of any kind came from Moonraker just now.
  package func heard() {
    let now = time.now
    state.withLock { $0.lastHeard = now }
  }

  /// Takes a change in and tells the readers, in order. Called by the link; safe from any thread.
  package func apply(_ change: StatusChange) {
    let now = time.now
    let wallTime = time.wallTime
    state.withLock { state in
      switch change {
      case .webcams, .link: state.webcamsRevision &+= 1
      default: break
      }
      let effects = state.status.apply(change, at: now, wallTime: wallTime)
      if effects.isNewSnapshot { snapshotLane.send(Self.snapshot(state.status)) }
      for event in effects.events { eventLane.send(event) }
    }
  }

  private static func snapshot(_ state: StatusState) -> PrinterStatus {
    var snapshot = state.status
    snapshot.host = state.host
    return snapshot
  }
}
