import ConnectorHost
import ConnectorKit
import JSON
import Platform

/// A daemon as the control server sees it: a printer that prints, and what a test changes.
func sampleView(
  backends: [DaemonView.Backend] = [], change: (inout PrinterStatus) -> Void = { _ in }
) -> DaemonView {
  let now = MonotonicInstant(sinceOrigin: .seconds(10_000))
  var status = PrinterStatus(
    startedAt: now, wallTime: WallTime(millisecondsSinceEpoch: 1_795_252_134_123))
  status.version = 812
  status.link = .connected
  status.klippy = .ready
  status.klippyMessage = "Printer is ready"
  status.isCurrent = true
  status.updatedAt = now.advanced(by: .milliseconds(-250))
  status.objects = [
    "print_stats": [
      "state": "printing", "filename": "benchy.gcode", "print_duration": 1_234.5, "message": "",
      "info": ["current_layer": 12, "total_layer": 240],
    ],
    "virtual_sdcard": ["progress": 0.427],
    "heater_bed": ["temperature": 60.02, "target": 60.0],
    "extruder": ["temperature": 214.97, "target": 215.0],
    "extruder1": ["temperature": 24.1, "target": 0.0],
    "temperature_sensor raspberry": ["temperature": 51.3],
    "tmc2209 stepper_x": ["temperature": 40.0],
    "toolhead": ["homed_axes": "xyz"],
  ]
  change(&status)
  return DaemonView(
    printerName: "Voron 2.4", status: status, lastHeard: now.advanced(by: .milliseconds(-120)),
    linkCondition: "connected to ws://127.0.0.1:7125", backends: backends,
    startedAt: MonotonicInstant(sinceOrigin: .seconds(4_000)), now: now,
    configurationPath: "/etc/printer-uplink/printer-uplink.yaml", reloadProblem: nil)
}

/// A backend that came into `state` so many seconds ago.
func sampleBackend(
  _ name: String, _ state: BackendState, forSeconds seconds: Int = 30, type: String = "reach",
  notes: [String] = []
) -> DaemonView.Backend {
  DaemonView.Backend(
    name: name, type: type, title: "Reach", state: state,
    since: MonotonicInstant(sinceOrigin: .seconds(10_000 - seconds)), permissions: "print",
    isInsecure: false, restarts: 3, notes: notes)
}

/// What nobody should be able to smuggle into a page, a line or a metric.
let hostileText =
  "</script><script>alert(1)</script>\"'&\\\n\r\u{1B}[2J\u{202E}\u{2028}{backend=\"x\"} 1\0é🚤"
