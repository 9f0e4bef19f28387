internal import ConnectorKit
internal import Platform

/// A print job as Cura sees it.
struct CuraJob: Sendable, Hashable {
  /// Where a job stands.
  enum Phase: Sendable, Hashable {
    /// It has arrived, and Moonraker does not have all of it yet.
    case coming
    /// It waits in Moonraker's queue.
    case queued(QueueTicket)
    /// It has left Moonraker's queue: it begins, or somebody has taken it out.
    case popped(since: MonotonicInstant)
    /// It came to nothing: why.
    case failed(String)
    /// Its start has been sent.
    case starting(since: MonotonicInstant)
    /// The printer prints it.
    case running(Transition?)
    /// It has ended and may still lie on the bed.
    case ended(Ending, at: MonotonicInstant)
  }
  /// What has been asked for and does not show yet.
  struct Transition: Sendable, Hashable {
    /// Cura's word for it.
    enum Word: String, Sendable { case pausing, resuming, aborting }
    var word: Word
    var since: MonotonicInstant
  }
  /// How a job ended.
  enum Ending: Sendable, Hashable { case complete, cancelled, failed }

  /// The owner that others' jobs show.
  static let others = "Klipper"

  /// Its UUID; nil where it is not known yet (a job that somebody else started).
  var uuid: String?
  /// The file's name without folders.
  var name: String
  /// Where the file is below `gcodes`; nil until Moonraker has said so.
  var path: GCodePath?
  /// Who sent it.
  var owner: String
  var createdAt: WallTime
  var phase: Phase
  /// Whether somebody else started or queued it, not a Cura.
  var isForeign = false
  /// Whether Cura's "Override" was pressed.
  var isForced = false
  /// Whether it is in Ultimaker's own G-code.
  var isGriffin = false
  /// Whether it was missing when the queue was seen for the first time in a connection: nobody need have taken it out.
  var isMissed = false
  /// Why it waits, for the page.
  var notice: String?
  /// How long it takes, s, as far as the slicer says.
  var estimate: Int?
  /// As of the last look while it printed.
  var elapsed = 0
  var total = 0

  /// Whether it waits, or has failed before it began.
  var isWaiting: Bool {
    switch phase {
    case .coming, .queued, .popped, .failed: true
    case .starting, .running, .ended: false
    }
  }

  /// Whether it has begun and not ended.
  var isOn: Bool {
    switch phase {
    case .starting, .running: true
    default: false
    }
  }
}

/// A job's place in Moonraker's queue. Moonraker's id is unique only while the job lives; with the time it stays unique.
struct QueueTicket: Sendable, Hashable {
  var jobID: String
  var timeAdded: Double
}

/// A job of Moonraker's queue.
struct QueueEntry: Sendable, Hashable {
  var ticket: QueueTicket
  var path: GCodePath
}
