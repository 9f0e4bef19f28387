package import JSON

/// The one final outcome of a command.
package struct CommandOutcome: Sendable, Hashable {
  /// How it ended.
  package enum Status: String, Sendable, CaseIterable {
    /// It was done.
    case done
    /// It was tried and went wrong, or could not be tried.
    case failed
    /// It was not tried: a rule forbids it.
    case refused
    /// It was sent, and nobody knows what became of it. It is never sent again.
    case unknown
  }

  /// Why it ended so; stable words for the audit and for tests.
  package enum Reason: String, Sendable, CaseIterable {
    /// Done.
    case ok
    /// The backend's `permissions` do not hold it.
    case notPermitted = "not_permitted"
    /// `read-only` is on.
    case readOnly = "read_only"
    /// Too old, or the first after a gap in contact.
    case stale
    /// The printer's state does not fit.
    case wrongState = "wrong_state"
    /// Another command that moves or heats is unfinished.
    case busy
    /// The bed is not known to be clear.
    case bedOccupied = "bed_occupied"
    /// It belongs to another backend or to the owner.
    case notOwn = "not_own"
    /// A parameter is not usable.
    case invalid
    /// More than 32 in one answer.
    case tooMany = "too_many"
    /// An emergency stop came before its turn.
    case superseded
    /// The journal cannot be written.
    case journal
    /// Moonraker or Klippy is away.
    case notConnected = "not_connected"
    /// Moonraker or Klipper said no.
    case printerRefused = "printer_refused"
    /// A file could not be fetched, stored or sent.
    case transfer
    /// No answer in time.
    case timeout
    /// The daemon ended, or the connection was lost, while it was under way.
    case interrupted
  }

  /// How it ended.
  package var status: Status
  /// Why.
  package var reason: Reason
  /// For people and clouds: one line, at most 500 characters, no local path, no secret.
  package var message: String
  /// What it yielded: the files, the history, what an upload or a backup says of itself.
  package var details: JSONValue?
  /// Whether this is the stored outcome of a command that came again.
  package var isRepeat: Bool
  /// Moonraker's own code, where it said no: 400, 403, -32601…
  package var code: Int?

  /// An outcome.
  package init(
    _ status: Status, _ reason: Reason, _ message: String = "", details: JSONValue? = nil,
    isRepeat: Bool = false, code: Int? = nil
  ) {
    self.code = code
    self.status = status
    self.reason = reason
    self.message = String(message.prefix(500))
    self.details = details
    self.isRepeat = isRepeat
  }

  /// Done.
  package static func done(_ details: JSONValue? = nil) -> CommandOutcome {
    CommandOutcome(.done, .ok, details: details)
  }

  /// What stands in the journal of a command that was under way when the daemon ended.
  package static let interrupted = CommandOutcome(
    .unknown, .interrupted, "interrupted by a restart, outcome unknown")
}

/// Why a command could not be done.
package struct CommandFailure: Error, Sendable, Hashable {
  /// Why.
  package var reason: CommandOutcome.Reason
  /// For people and clouds: one line, no local path, no secret.
  package var message: String
  /// Whether it may have happened (or may still happen) all the same: then the outcome is `unknown`.
  package var mayHaveHappened: Bool
  /// Moonraker's own code, where it answered: 400, 403, -32601…
  package var code: Int?

  /// A failure.
  package init(
    _ reason: CommandOutcome.Reason, _ message: String, mayHaveHappened: Bool = false,
    code: Int? = nil
  ) {
    self.reason = reason
    self.message = message
    self.mayHaveHappened = mayHaveHappened
    self.code = code
  }
}
