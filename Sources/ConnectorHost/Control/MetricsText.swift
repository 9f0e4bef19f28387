internal import ConnectorKit
internal import Platform

/// The body of `/metrics`, in Prometheus' text format.
struct MetricsText: Sendable {
  /// The text, every line ended.
  private(set) var text = ""

  private static let states = [
    "disabled", "starting", "online", "degraded", "backing off", "parked", "stopped",
  ]

  /// The metrics of `view`.
  init(_ view: DaemonView) {
    let status = view.status
    add("info", "The program's version.", [(["version": Product.version], 1)])
    add(
      "uptime_seconds", "Seconds since the daemon started.",
      [([:], Self.seconds(view.startedAt.duration(to: view.now)))])
    add(
      "moonraker_connected", "Whether the connection to Moonraker stands.",
      [([:], status.link == .connected ? 1 : 0)])
    if let heard = view.lastHeard {
      add(
        "moonraker_silence_seconds", "Seconds since anything came from Moonraker.",
        [([:], Self.seconds(heard.duration(to: view.now)))])
    }
    add(
      "klippy_ready", "Whether Klippy is ready.",
      [([:], status.link == .connected && status.klippy == .ready ? 1 : 0)])
    add(
      "status_updates_total", "Snapshots of the printer's status so far.",
      [([:], Double(status.version))], isCounter: true)
    add(
      "reload_failed", "Whether the last reload of the configuration failed.",
      [([:], view.reloadProblem == nil ? 0 : 1)])
    add(
      "backend_state", "1 for the state that a backend is in, 0 for the others.",
      view.backends.flatMap { backend in
        Self.states.map { state in
          (
            ["backend": backend.name, "type": backend.type, "state": state],
            state == backend.state.name ? 1 : 0
          )
        }
      })
    add(
      "backend_state_seconds", "Seconds since a backend came into its state.",
      view.backends.map {
        (["backend": $0.name, "type": $0.type], Self.seconds($0.since.duration(to: view.now)))
      })
    add(
      "backend_restarts_total", "How often a backend was started again.",
      view.backends.map { (["backend": $0.name, "type": $0.type], Double($0.restarts)) },
      isCounter: true)
    if let commands = view.commands { add(commands) }
  }

  /// The gate and the outboxes.
  private mutating func add(_ commands: CommandsView) {
    add("bed_clear", "Whether the bed is known to be empty.", [([:], commands.bed.isClear ? 1 : 0)])
    add("read_only", "Whether read-only is on.", [([:], commands.readOnly.isOn ? 1 : 0)])
    add(
      "journal_writable", "Whether commands can be journalled.",
      [([:], commands.journalProblem == nil ? 1 : 0)])
    add(
      "audit_lost_total", "Audit records that could not be written.",
      [([:], Double(commands.auditLost))], isCounter: true)
    let owed = commands.owed.sorted { $0.key < $1.key }
    add(
      "owed_results", "Results that a cloud is still owed.",
      owed.map { (["backend": $0.key], Double($0.value.count)) })
    add(
      "owed_results_dropped_total", "Owed results that had to go, for want of room or for age.",
      owed.map { (["backend": $0.key], Double($0.value.dropped)) }, isCounter: true)
  }

  private mutating func add(
    _ name: String, _ help: String,
    _ samples: [(labels: KeyValuePairs<String, String>, value: Double)],
    isCounter: Bool = false
  ) {
    guard !samples.isEmpty else { return }
    let name = "printer_uplink_\(name)"
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(isCounter ? "counter" : "gauge")\n"
    for (labels, value) in samples {
      let list = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
      text +=
        list.isEmpty
        ? "\(name) \(Self.number(value))\n" : "\(name){\(list)} \(Self.number(value))\n"
    }
  }

  /// A label's value: backslash, quote and line end are escaped.
  private static func escaped(_ value: String) -> String {
    value.replacing(text: "\\", with: "\\\\").replacing(text: "\"", with: "\\\"").onOneLine
  }

  private static func number(_ value: Double) -> String {
    Int64(exactly: value).map(String.init) ?? String(value)
  }

  private static func seconds(_ duration: Duration) -> Double {
    (max(.zero, duration) / .milliseconds(1)).rounded() / 1_000
  }
}
