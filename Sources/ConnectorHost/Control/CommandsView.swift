package import Platform

/// What the gate and the outboxes show of themselves, at one moment.
package struct CommandsView: Sendable {
  /// The bed.
  package struct Bed: Sendable, Hashable {
    /// Whether it is known to be empty.
    package var isClear: Bool
    /// Who or what made it so, in words: `the page`, `the end of benchy.gcode`; nil where nobody knows.
    package var by: String?
    /// Since when; nil where nobody knows.
    package var since: WallTime?
    /// A bed.
    package init(isClear: Bool, by: String? = nil, since: WallTime? = nil) {
      self.isClear = isClear
      self.by = by
      self.since = since
    }
  }
  /// The switch that stops all clouds.
  package struct ReadOnly: Sendable, Hashable {
    /// Whether nothing but looking and an emergency stop is allowed.
    package var isOn: Bool
    /// Who switched it last; nil: nobody ever did.
    package var by: String?
    /// When.
    package var since: WallTime?
    /// A switch.
    package init(isOn: Bool, by: String? = nil, since: WallTime? = nil) {
      self.isOn = isOn
      self.by = by
      self.since = since
    }
  }
  /// The command that holds the printer.
  package struct Busy: Sendable, Hashable {
    /// The backend's name.
    package var backend: String
    /// The wire's name of the command.
    package var action: String
    /// A command of a backend.
    package init(backend: String, action: String) {
      self.backend = backend
      self.action = action
    }
  }
  /// One backend's results that are still owed.
  package struct Owed: Sendable, Hashable {
    /// How many wait.
    package var count: Int
    /// How many had to go since the start, for want of room or for age.
    package var dropped: UInt64
    /// Why they cannot be stored; nil where all is well.
    package var problem: String?
    /// What is owed.
    package init(count: Int, dropped: UInt64 = 0, problem: String? = nil) {
      self.count = count
      self.dropped = dropped
      self.problem = problem
    }
  }
  /// The last commands, oldest first; about 50.
  var recent: [AuditRecord]
  /// How many came to their end since the start.
  var outcomes: UInt64
  /// The bed.
  package var bed: Bed
  /// The switch.
  package var readOnly: ReadOnly
  /// The unfinished command that moves or heats; nil: the printer is free.
  package var busy: Busy?
  /// Why the journal cannot be written; nil where all is well.
  package var journalProblem: String?
  /// Why the audit cannot be written; nil where all is well.
  package var auditProblem: String?
  /// How many audit records are missing since the start.
  package var auditLost: Int
  /// What is owed, by the backend's name.
  package var owed: [String: Owed]

  /// A gate at one moment.
  init(
    recent: [AuditRecord] = [], outcomes: UInt64 = 0, bed: Bed = Bed(isClear: false),
    readOnly: ReadOnly = ReadOnly(isOn: false), busy: Busy? = nil, journalProblem: String? = nil,
    auditProblem: String? = nil, auditLost: Int = 0, owed: [String: Owed] = [:]
  ) {
    self.recent = recent
    self.outcomes = outcomes
    self.bed = bed
    self.readOnly = readOnly
    self.busy = busy
    self.journalProblem = journalProblem
    self.auditProblem = auditProblem
    self.auditLost = auditLost
    self.owed = owed
  }
}
