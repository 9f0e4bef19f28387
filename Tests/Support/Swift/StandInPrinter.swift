package import ConnectorKit
internal import JSON
package import Platform

/// A status source that a test moves by hand; it tells events as the real one does.
package final class StandInPrinter: StatusSource {
  private struct State {
    var status: PrinterStatus
    var silentSince: MonotonicInstant?
  }
  private let time: any TimeSource
  private let state: Guarded<State>
  private let lane = Broadcast<PrinterStatus>(.newest)
  private let happenings = Broadcast<PrinterEvent>(.queue(64))

  /// A printer of which nothing is known yet.
  package init(time: any TimeSource) {
    self.time = time
    state = Guarded(
      State(
        status: PrinterStatus(startedAt: time.now, wallTime: time.wallTime),
        silentSince: time.now))
  }

  package var current: PrinterStatus { state.withLock { $0.status } }

  package var lastHeard: MonotonicInstant? { state.withLock { $0.silentSince } ?? time.now }

  package func snapshots(
    where isNews: (@Sendable (PrinterStatus) -> Bool)?
  ) -> Subscription<PrinterStatus> { lane.subscribe(startingWith: current, where: isNews) }

  package func events() -> Subscription<PrinterEvent> { happenings.subscribe() }

  /// How many read the event lane now.
  package var eventReaderCount: Int { happenings.readerCount }

  /// Changes the status as of now, and tells it; a change of the print's state is an event.
  package func update(_ change: (inout PrinterStatus) -> Void) {
    let (before, after) = state.withLock { state in
      let before = state.status
      change(&state.status)
      state.status.version += 1
      state.status.updatedAt = time.now
      state.status.updatedWallTime = time.wallTime
      return (before, state.status)
    }
    lane.send(after)
    let told = (
      before.isCurrent ? before.printState : nil, after.isCurrent ? after.printState : nil
    )
    if told.0 != told.1 { happenings.send(.printState(from: told.0, to: told.1)) }
    if before.klippy != after.klippy {
      happenings.send(.klippy(after.klippy, message: after.klippyMessage))
    }
  }

  /// Moonraker is connected, Klippy ready, and the six common objects are known, with `printState`.
  package func come(printState: String = "standby") {
    state.withLock { $0.silentSince = nil }
    update { status in
      status.link = .connected
      status.klippy = .ready
      status.isCurrent = true
      status.covered = Self.everything
      status.eventtime = JSONNumber(1_848.069360736)
      status.objects = [
        "print_stats": ["state": .string(printState), "filename": "cube.gcode"],
        "virtual_sdcard": ["file_path": "/home/pi/cube.gcode", "progress": 0.25],
        "extruder": ["temperature": 22.05, "target": 0],
        "heater_bed": ["temperature": 22, "target": 0],
        "toolhead": ["homed_axes": "xyz", "estimated_print_time": 498.593043],
        "pause_resume": ["is_paused": false],
        "webhooks": ["state": "ready"],
      ]
    }
    happenings.send(.link(isUp: true))
  }

  /// What the objects of ``come(printState:)`` may be asked for.
  private static let everything = StatusInterest(
    [
      "print_stats": .all, "virtual_sdcard": .all, "extruder": .all, "heater_bed": .all,
      "toolhead": .all, "pause_resume": .all, "webhooks": .all,
    ], once: ["toolhead": ["estimated_print_time"]])

  /// Another `print_stats.state`.
  package func print(_ printState: String) {
    update { $0.objects["print_stats", default: [:]]["state"] = .string(printState) }
  }

  /// Tells an event.
  package func tell(_ event: PrinterEvent) { happenings.send(event) }

  /// Moonraker goes.
  package func leave() {
    let now = time.now
    update { status in
      status.link = .away(since: now)
      status.klippy = .disconnected
      status.isCurrent = false
    }
    happenings.send(.link(isUp: false))
  }

  /// Moonraker freezes: nothing is heard from now on.
  package func freeze() { state.withLock { $0.silentSince = time.now } }

  /// Moonraker goes on after a freeze, without an event.
  package func thaw() { state.withLock { $0.silentSince = nil } }
}
