internal import ConnectorKit
internal import JSON
internal import Platform

/// The bodies of the events that open pages get (`docs/status-api.md`): as `/api/status`, but moments are said as they
/// are, so that nothing has to be sent for the passing of time alone.
///
/// A moment is the number of seconds since the daemon's start, which no clock that is set changes.
enum EventDocument {
  /// The first words of a stream: which version, and what time it is by that reckoning.
  static func hello(_ uptime: Duration) -> [UInt8] {
    let body: JSONValue = [
      "version": .integer(StatusDocument.version),
      "uptime": .double((uptime / .milliseconds(1)).rounded() / 1_000),
    ]
    let retry = DashboardStream.retry.components.seconds * 1_000
    return Array("retry: \(retry)\n".utf8) + EventBoard.event("hello", body.serialized())
  }

  /// The parts of `view`: all of them, or the printer alone.
  static func parts(
    _ view: DaemonView, isWhole: Bool
  ) -> [(part: EventBoard.Part, body: [UInt8])] {
    var parts: [(EventBoard.Part, JSONValue)] = [(.printer, printer(view))]
    if isWhole {
      parts += [
        (
          .program,
          [
            "name": .string(Product.name), "version": .string(Product.version),
            "configuration": .string(view.configurationPath),
            "reload_problem": .string(orNull: view.reloadProblem),
            "waiting": StatusDocument.waiting(view.waiting),
          ]
        ),
        (.backends, .array(view.backends.map { backend($0, view) })),
        (.commands, view.commands.map { .object(StatusDocument.switches($0)) } ?? .null),
        (.widened, StatusDocument.widened(view.widenings)),
      ]
    }
    return parts.map { ($0, $1.serialized()) }
  }

  /// One command that came to its end.
  static func outcome(_ record: AuditRecord, in view: DaemonView) -> [UInt8] {
    StatusDocument.command(record, title: StatusDocument.titles(in: view)[record.backend])
      .serialized()
  }

  private static func printer(_ view: DaemonView) -> JSONValue {
    let status = view.status
    return [
      "name": .string(view.printerName),
      "condition": .string(PrinterCondition(status).rawValue),
      "moonraker": [
        "is_connected": .bool(status.link == .connected),
        "condition": .string(view.linkCondition),
      ],
      "klippy": StatusDocument.klippy(status),
      "is_known": .bool(status.version > 0), "is_current": .bool(status.isCurrent),
      // While the values are the present ones, their age says nothing.
      "updated": status.isCurrent || status.version == 0
        ? .null : moment(status.updatedAt, view),
      "job": job(status),
      "temperatures": .array(
        HeaterReading.all(in: status).map {
          [
            "object": .string($0.object), "title": .string($0.title),
            "celsius": .double($0.temperature.map { ($0 * 10).rounded() / 10 }),
            "target": .double($0.target),
          ]
        }),
    ]
  }

  /// The job, rounded to what a page shows.
  private static func job(_ status: PrinterStatus) -> JSONValue {
    guard var job = StatusDocument.job(status).object else { return .null }
    job["progress"] = .double(job["progress"]?.double.map { ($0 * 1_000).rounded() / 1_000 })
    job["print_seconds"] = .double(job["print_seconds"]?.double.map { $0.rounded() })
    return .object(job)
  }

  private static func backend(_ backend: DaemonView.Backend, _ view: DaemonView) -> JSONValue {
    var object = StatusDocument.facts(backend, owed: view.commands?.owed[backend.name])
    object["since"] = moment(backend.since, view)
    object["retry"] = backend.state.nextTry.map { moment($0, view) } ?? .null
    return .object(object)
  }

  private static func moment(_ instant: MonotonicInstant, _ view: DaemonView) -> JSONValue {
    .double((view.startedAt.duration(to: instant) / .milliseconds(100)).rounded() / 10)
  }
}
