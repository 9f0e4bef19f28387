package import JSON
package import Platform

/// Klippy's state, as Moonraker says it.
package enum KlippyState: String, Sendable {
  case disconnected, startup, ready, error, shutdown
}

/// How the one connection to Moonraker stands.
package enum MoonrakerLinkState: Sendable, Hashable {
  /// Never connected since the start, or lost: since when.
  case away(since: MonotonicInstant)
  /// Connected and identified.
  case connected
}

/// One immutable view of the printer, built once per update and shared by all who read.
package struct PrinterStatus: Sendable {
  /// Counts up by one with each new snapshot.
  package var version: UInt64
  /// How the connection to Moonraker stands.
  package var link: MoonrakerLinkState
  /// Klippy's state; `disconnected` while Moonraker is away.
  package var klippy: KlippyState
  /// Klippy's own words about its state (`webhooks.state_message`).
  package var klippyMessage: String
  /// Klipper's own monotonic seconds of the newest update, as it came; nil before the first.
  package var eventtime: JSONNumber?
  /// When the newest update arrived.
  package var updatedAt: MonotonicInstant
  /// When the newest update arrived, for stamps.
  package var updatedWallTime: WallTime
  /// Objects by Klipper's name with their merged fields, as of the newest update.
  package var objects: [String: JSONObject]
  /// Whether `objects` are what the printer says now; false from the loss of Moonraker or Klippy until the next subscription's answer.
  package var isCurrent: Bool
  /// What the present subscription has told of; nil before the first.
  package var covered: StatusInterest?
  /// Metadata of the loaded G-code file, where Moonraker has them; empty otherwise.
  package var fileMetadata: JSONObject
  /// Counts the changes of Moonraker's job queue, as far as Moonraker tells of them, and its returns.
  package var queueRevision: UInt64 = 0
  /// The host's load, from Moonraker's once-a-second statistics.
  package var host: HostLoad
  /// Another number whenever the list of G-code files may have changed.
  package var filesRevision: UInt64 = 0

  /// What macros have said last to whoever looks, oldest first; at most ``PrinterMessage/most``.
  package var messages: [PrinterMessage] = []

  /// The status before anything is known.
  package init(startedAt now: MonotonicInstant, wallTime: WallTime) {
    version = 0
    link = .away(since: now)
    klippy = .disconnected
    klippyMessage = ""
    updatedAt = now
    updatedWallTime = wallTime
    objects = [:]
    isCurrent = false
    fileMetadata = JSONObject()
    host = HostLoad()
  }

  /// The field of an object, or nil where either is missing.
  package func field(_ object: String, _ field: String) -> JSONValue? { objects[object]?[field] }

  /// Whether all that `interest` names has been asked for and answered: right after a reload that adds a reader, the
  /// objects are still those that the others wanted. What is named and missing then is not known to the printer.
  package func covers(_ interest: StatusInterest) -> Bool { covered?.contains(interest) ?? false }

  /// `print_stats.state`, or nil where unknown.
  package var printState: String? { field("print_stats", "state")?.string }
}

/// The load of the printer's host.
package struct HostLoad: Sendable, Hashable {
  /// Processor use, 0…100 %.
  package var cpuPercent: Double?
  /// Memory use, 0…100 %.
  package var memoryPercent: Double?
  /// Use of the disk that holds the G-code files, 0…100 %.
  package var diskPercent: Double?
  /// Memory in use, kB.
  package var memoryUsed: Double?
  /// The processor's temperature, °C.
  package var cpuTemperature: Double?
  /// Nothing known.
  package init(cpuPercent: Double? = nil, memoryPercent: Double? = nil, diskPercent: Double? = nil)
  {
    self.cpuPercent = cpuPercent
    self.memoryPercent = memoryPercent
    self.diskPercent = diskPercent
  }
}

/// Something that happened at the printer; kept in order for each backend.
package enum PrinterEvent: Sendable, Hashable {
  /// `print_stats.state` changed; nil where it became unknown or was.
  case printState(from: String?, to: String?)
  /// A job's life, latched once per job. `job` counts jobs seen by this daemon.
  case job(JobEvent, job: UInt64, filename: String)
  /// Klippy's state changed.
  case klippy(KlippyState, message: String)
  /// The connection to Moonraker came or went.
  case link(isUp: Bool)
  /// The list of webcams changed.
  case webcams
}

/// What happened to a print job.
package enum JobEvent: String, Sendable {
  case started, paused, resumed, finished, cancelled, failed
}
