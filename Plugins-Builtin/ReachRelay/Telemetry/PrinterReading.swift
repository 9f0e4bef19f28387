internal import ConnectorKit
internal import JSON

/// What decides when a report is due: compared with each new snapshot, so it is small.
struct PrinterReading: Sendable, Equatable {
  /// How the connection to Moonraker stands.
  let link: MoonrakerLinkState
  /// Klippy's state.
  let klippy: KlippyState
  /// Whether the values of the status are the printer's of now.
  let isCurrent: Bool
  /// What the report says of the job.
  let jobState: JobState
  /// Whether a heater that is reported has a target.
  let isHeating: Bool
  /// The number of the newest message; 0: none.
  let lastMessage: UInt64

  /// Reads a snapshot.
  init(_ status: PrinterStatus) {
    link = status.link
    klippy = status.klippy
    lastMessage = status.messages.last?.number ?? 0
    let isStopped = status.link == .connected && (klippy == .error || klippy == .shutdown)
    isCurrent = status.isCurrent && (isStopped || klippy == .ready)
    jobState =
      isStopped ? .error : isCurrent ? JobState(printState: status.printState) : .unknown
    isHeating =
      isCurrent
      && [status.activeExtruder, "heater_bed"].contains {
        (status.field($0, "target")?.double ?? 0) > 0
      }
  }

  /// Whether reports are due at the faster interval.
  var isBusy: Bool { jobState == .printing || isHeating }
}

extension PrinterStatus {
  /// The name of the extruder in use.
  var activeExtruder: String {
    guard let name = field("toolhead", "extruder")?.string, objects[name] != nil else {
      return "extruder"
    }
    return name
  }
}
