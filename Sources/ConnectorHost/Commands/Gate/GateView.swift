internal import Platform

/// The gate as the page shows it; a value, made in one piece.
struct GateView: Sendable {
  /// The last outcomes, oldest first, at most ``length``.
  var recent: [AuditRecord]
  /// How many outcomes there were since the start.
  var outcomes: UInt64
  /// The bed.
  var bed: Bed
  /// The switch for all clouds.
  var readOnly: ReadOnlySwitch
  /// The command that moves or heats and is unfinished.
  var busy: Arbiter.Entry?
  /// How many wait for their turn.
  var waiting: Int
  /// How many commands are unfinished in all.
  var unfinished: Int
  /// The job that runs or is paused, and who started it.
  var job: RunningJob?
  /// Why the journal cannot be written; nil: it can.
  var journalProblem: String?

  /// The most outcomes that are kept.
  static let length = 50
}
