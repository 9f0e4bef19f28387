package import Platform

/// A command as it came from the far side.
package struct CommandRequest: Sendable {
  /// The far side's own id, 1…256 bytes: the same id is never executed twice.
  package var id: String
  /// The wire's own name for it, for the audit: `start_print`.
  package var wireName: String
  /// What is to be done.
  package var command: PrinterCommand
  /// How old it is, where the wire says so; nil where the wire has no time, and the gap in contact decides.
  package var age: Duration?
  /// Why the backend itself refuses it; nil: it does not. Its id is looked up all the same, and the refusal is remembered
  /// and owed as one of the gate's own; it takes none of its answer's places. An emergency stop goes out in spite of it.
  package var refusal: CommandFailure?
  /// What the far side is owed where the command takes its time; nil: it hears of the end, whenever that is.
  package var earlyAnswer: EarlyAnswer?

  /// For a start by itself: the bed counts as clear after so long without a job, which we must have watched without a gap;
  /// nil: only a person's word counts. The owner's choice, and never where a clear bed is required of everybody.
  package var assumesClearAfter: Duration?

  /// For a deletion that is the backend's own idea, such as a clean-up: only what it has brought and nobody has changed
  /// since goes, whatever its permissions hold.
  package var deletesOwnOnly = false

  /// A request.
  package init(
    id: String, wireName: String, command: PrinterCommand, age: Duration? = nil,
    refusal: CommandFailure? = nil, earlyAnswer: EarlyAnswer? = nil
  ) {
    self.refusal = refusal
    self.id = id
    self.wireName = wireName
    self.command = command
    self.age = age
    self.earlyAnswer = earlyAnswer
  }
}

/// What a far side is told of a command that has been sent and has not ended yet: its one answer. The end goes into the
/// journal and the audit alone.
package struct EarlyAnswer: Sendable, Hashable {
  /// How long after sending.
  package var after: Duration
  /// What is owed then.
  package var owed: OwedItem

  /// An answer.
  package init(after: Duration, owed: OwedItem) {
    self.after = after
    self.owed = owed
  }
}

/// One answer of the far side: commands that came in it are submitted under it.
///
/// It knows how long we had not heard of the far side before: where the wire has no time, that decides whether a command
/// may still move something. It also counts: of one answer at most 32 commands are accepted.
package final class CommandContact: Sendable {
  /// The most commands of one answer.
  package static let limit = 32
  /// The backend's name.
  package let backend: String
  /// When the answer came.
  package let at: MonotonicInstant
  /// When the far side answered before; nil: not since the start of the daemon.
  package let previous: MonotonicInstant?
  private let accepted = Guarded(0)

  /// An answer that came `at`; made by the host.
  package init(backend: String, at: MonotonicInstant, previous: MonotonicInstant?) {
    self.backend = backend
    self.at = at
    self.previous = previous
  }

  /// Takes one of the places; false when there is none left.
  package func takePlace() -> Bool {
    accepted.withLock { accepted in
      guard accepted < Self.limit else { return false }
      accepted += 1
      return true
    }
  }

  /// Whether contact had been missing for longer than `limit` before this answer, or since the start of the daemon.
  package func isAfterGap(longerThan limit: Duration) -> Bool {
    guard let previous else { return true }
    return previous.duration(to: at) > limit
  }
}
