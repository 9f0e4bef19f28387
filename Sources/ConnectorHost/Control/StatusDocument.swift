internal import ConnectorKit
internal import JSON
internal import Platform

/// The body of `/api/status`: all that the page shows, as JSON (`docs/status-api.md`).
///
/// Keys are only added within a version; what is unknown is `null`. It holds no secret: a ``DaemonView`` has none.
enum StatusDocument {
  /// Counts up when a key changes its meaning or goes.
  static let version = 1

  /// The document for `view`.
  static func make(_ view: DaemonView) -> JSONValue {
    [
      "version": .integer(version),
      "program": [
        "name": .string(Product.name), "version": .string(Product.version),
        "uptime_seconds": seconds(view.startedAt.duration(to: view.now)),
        "configuration": .string(view.configurationPath),
        "reload_problem": .string(orNull: view.reloadProblem),
        "waiting": waiting(view.waiting),
      ],
      "printer": printer(view),
      "backends": .array(
        view.backends.map { backend($0, owed: view.commands?.owed[$0.name], now: view.now) }),
      "widened": widened(view.widenings),
      "commands": view.commands.map { commands($0, newest: shownCommands, view) } ?? .null,
    ]
  }

  /// What waits for a person, or `null`.
  static func waiting(_ changes: WaitingChanges?) -> JSONValue {
    guard let changes else { return .null }
    return [
      "file": .string(changes.file), "since": .string(changes.since.rfc3339Seconds),
      "changes": .array(changes.changes.map(JSONValue.string)),
    ]
  }

  /// What reloads allow and nobody has seen.
  static func widened(_ notices: [WideningNotice]) -> JSONValue {
    .array(
      notices.map {
        [
          "number": .integer($0.number), "at": .string($0.at.rfc3339Seconds),
          "text": .string($0.text),
        ]
      })
  }

  private static func printer(_ view: DaemonView) -> JSONValue {
    let status = view.status
    // Version 0 is the snapshot before anything was heard.
    let isKnown = status.version > 0
    return [
      "name": .string(view.printerName),
      "condition": .string(PrinterCondition(status).rawValue),
      "moonraker": [
        "is_connected": .bool(status.link == .connected),
        "condition": .string(view.linkCondition),
        "heard_seconds_ago": view.lastHeard.map { seconds($0.duration(to: view.now)) } ?? .null,
      ],
      "klippy": klippy(status),
      "is_current": .bool(status.isCurrent),
      "updated_at": isKnown ? .string(status.updatedWallTime.rfc3339Milliseconds) : .null,
      "updated_seconds_ago": isKnown ? seconds(status.updatedAt.duration(to: view.now)) : .null,
      "job": job(status),
      "temperatures": .array(HeaterReading.all(in: status).map(temperature)),
    ]
  }

  /// Klippy in its own words.
  static func klippy(_ status: PrinterStatus) -> JSONValue {
    ["state": .string(status.klippy.rawValue), "message": .string(status.klippyMessage)]
  }

  /// The job, as far as it is known.
  static func job(_ status: PrinterStatus) -> JSONValue {
    let file = status.field("print_stats", "filename")?.string ?? ""
    let progress =
      status.field("virtual_sdcard", "progress")?.double
      ?? status.field("display_status", "progress")?.double
    let layers = status.field("print_stats", "info")
    return [
      "state": .string(orNull: status.printState),
      "file": file.isEmpty ? .null : .string(file),
      "progress": .double(progress.map { min(max($0, 0), 1) }),
      "print_seconds": .double(status.field("print_stats", "print_duration")?.double),
      "layer": layers?["current_layer"] ?? .null,
      "layers": layers?["total_layer"] ?? .null,
      "message": .string(orNull: status.field("print_stats", "message")?.string),
    ]
  }

  private static func temperature(_ reading: HeaterReading) -> JSONValue {
    [
      "object": .string(reading.object), "title": .string(reading.title),
      "celsius": .double(reading.temperature), "target": .double(reading.target),
    ]
  }

  private static func backend(
    _ backend: DaemonView.Backend, owed: CommandsView.Owed?, now: MonotonicInstant
  ) -> JSONValue {
    var object = facts(backend, owed: owed)
    object["since_seconds"] = seconds(backend.since.duration(to: now))
    object["failing"] = .string(orNull: HealthReport.reason(backend, now: now))
    object["confirmed_seconds_ago"] =
      backend.confirmation.map { seconds($0.at.duration(to: now)) } ?? .null
    object["retry_in_seconds"] =
      backend.state.nextTry.map { seconds(now.duration(to: $0)) } ?? .null
    return .object(object)
  }

  /// A backend without the moments: these a document says as they are, another as the time that has passed.
  static func facts(_ backend: DaemonView.Backend, owed: CommandsView.Owed?) -> JSONObject {
    var problem: String?
    var remedy: String?
    switch backend.state {
    case .degraded(let what, let how), .parked(let what, let how): (problem, remedy) = (what, how)
    case .backingOff(let what, _): problem = what
    case .disabled, .starting, .online, .stopped: break
    }
    return [
      "name": .string(backend.name), "type": .string(backend.type), "title": .string(backend.title),
      "state": .string(backend.state.name), "is_enabled": .bool(backend.state != .disabled),
      "is_enabled_in_file": .bool(backend.isEnabledInFile),
      "problem": .string(orNull: problem),
      "remedy": remedy.map { $0.isEmpty ? .null : .string($0) } ?? .null,
      "permissions": .string(backend.permissions), "is_insecure": .bool(backend.isInsecure),
      "restarts": .integer(backend.restarts), "notes": .array(backend.notes.map(JSONValue.string)),
      "is_pairable": .bool(backend.isPairable), "page": .string(orNull: backend.page),
      "owed": owed.map { .integer($0.count) } ?? .null,
      "owed_dropped": owed.map { .integer($0.dropped) } ?? .null,
      "owed_problem": .string(orNull: owed?.problem),
    ]
  }

  /// Seconds with one decimal, never negative.
  private static func seconds(_ duration: Duration) -> JSONValue {
    let tenths = max(.zero, duration) / .milliseconds(100)
    return .double(tenths.rounded() / 10)
  }
}
