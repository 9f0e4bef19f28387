import ConnectorKit
import JSON
import Moonraker
import Platform

/// A status with a clock: changes in, events out.
struct StatusScript {
  var state = StatusState(
    startedAt: MonotonicInstant(sinceOrigin: .seconds(1_000)),
    wallTime: WallTime(millisecondsSinceEpoch: 0))
  var now = MonotonicInstant(sinceOrigin: .seconds(1_000))

  var status: PrinterStatus { state.status }

  @discardableResult
  mutating func apply(_ change: StatusChange) -> StatusState.Effects {
    now = now.advanced(by: .milliseconds(250))
    return state.apply(change, at: now, wallTime: WallTime(millisecondsSinceEpoch: 5))
  }

  @discardableResult
  mutating func update(_ objects: JSONObject, eventtime: Double = 200) -> StatusState.Effects {
    apply(.update(objects, eventtime: JSONNumber(eventtime)))
  }

  @discardableResult
  mutating func full(_ objects: JSONObject) -> StatusState.Effects {
    apply(.full(objects, eventtime: JSONNumber(100.0), kept: [:], isComplete: true))
  }

  /// A printer that is ready and idle.
  static func idle() -> StatusScript {
    var script = StatusScript()
    script.apply(.link(isUp: true))
    script.apply(.klippy(.ready, message: nil))
    script.full(objects)
    return script
  }

  static let objects: JSONObject = [
    "webhooks": ["state": "ready", "state_message": "Printer is ready"],
    "print_stats": ["state": "standby", "filename": "", "info": ["total_layer": nil]],
    "extruder": ["temperature": 21.5, "target": 0.0, "power": 0.0],
    "heater_bed": ["temperature": 22.0, "target": 60.0, "power": 0.4],
    "toolhead": ["position": [1.0, 2.0, 3.0, 0.0], "homed_axes": "xyz"],
  ]
}
