package import JSON
package import Platform

/// The one way from a backend to the printer. Every command passes the host's gate: permission, freshness, journal, turn,
/// the printer's state; then it is executed at most once.
package protocol CommandGateway: Sendable {
  /// Notes that the far side has answered a request for commands, with or without some in it. Call it once per answer, as
  /// soon as it is there. Never blocks, safe from any thread.
  ///
  /// - Parameter former: the answer before, where that was as long as the far side's answers may be: what has been waiting
  ///   there goes on in this one.
  func contact(continuing former: CommandContact?) -> CommandContact

  /// Has a command executed and waits for its one final outcome, minutes for a homing.
  ///
  /// An id that was seen before is not executed again: the outcome of the first time comes back (`isRepeat`), now or when
  /// it is there. A backend submits what comes in one answer in the order of its wire, each in a task of its own where its
  /// protocol lets later ones overtake. Cancelling the task does not undo what was sent.
  ///
  /// What a backend refuses itself passes here too (`CommandRequest.refusal`): only what the gate knows is told the same when
  /// it comes again. Where the command runs already, the refusal comes to nothing: the far side is owed the end of the run.
  ///
  /// - Parameters:
  ///   - request: the command.
  ///   - contact: the answer in which it came.
  ///   - work: what the backend itself has to do for it, once it is allowed and journalled; nil: the host does it all.
  ///   - owing: the result that the far side is owed for an outcome, nil for none. Pure and quick: it is asked before the
  ///     command is sent too (for the case that we do not live to see its end), and what it returns is stored together
  ///     with the outcome.
  func submit(
    _ request: CommandRequest, in contact: CommandContact, work: CommandWork?,
    owing: @escaping @Sendable (CommandOutcome) -> OwedItem?
  ) async -> CommandOutcome

  /// Notes a command for the audit that its connector refuses itself, because it can be none: a name that is no name,
  /// parameters of the wrong type. Never blocks, safe from any thread.
  ///
  /// - Parameters:
  ///   - id: the far side's own id.
  ///   - wireName: the wire's own name for it, fit for a log.
  ///   - refusal: why.
  func noteRefusal(id: String, wireName: String, _ refusal: CommandFailure)

  /// The files that this backend has brought and that are still its own, oldest first: what it may delete.
  ///
  /// - Returns: nil where the list cannot be read now.
  func ownFiles() async -> [BroughtFile]?

  /// Whether one of these lies there byte for byte as it was brought: its bytes are read for that.
  ///
  /// - Returns: false also where that cannot be found out.
  func isUnchanged(_ path: GCodePath) async -> Bool
}

/// A file that a backend has brought, as it was when it came.
package struct BroughtFile: Sendable, Hashable {
  /// Its path in root `gcodes`.
  package var path: GCodePath
  /// Its size in bytes.
  package var size: Int64
  /// The SHA-256 of its bytes, lower-case hex.
  package var sha256: String
  /// When it was brought.
  package var broughtAt: WallTime
  /// Seconds since 1970, as Moonraker says it.
  package var modified: Double

  /// A file.
  package init(
    path: GCodePath, size: Int64, sha256: String, broughtAt: WallTime, modified: Double
  ) {
    self.path = path
    self.size = size
    self.sha256 = sha256
    self.broughtAt = broughtAt
    self.modified = modified
  }
}

extension CommandGateway {
  /// A gate without a list.
  package func ownFiles() async -> [BroughtFile]? { nil }

  /// A gate without a list.
  package func isUnchanged(_ path: GCodePath) async -> Bool { false }

  /// Notes an answer that stands for itself.
  package func contact() -> CommandContact { contact(continuing: nil) }
}

/// A backend's own part of a command: fetching the file of an upload, making a backup.
///
/// Runs after the gate has said yes and the intent is on the disk. Returns what becomes the outcome's `details`.
package typealias CommandWork =
  @Sendable (any GatedPrinter) async throws(CommandFailure) -> JSONValue?

/// What may be done to the printer from inside of a command that has passed the gate.
package protocol GatedPrinter: Sendable {
  /// Hands a staged file to Moonraker as the file that the command names, and notes it as this backend's own.
  ///
  /// - Returns: Moonraker's `item`.
  /// - Throws: `CommandFailure`.
  func upload(_ file: StagedFile) async throws(CommandFailure) -> JSONValue

  /// Checks that nobody has forbidden the command meanwhile: ask right before something leaves the house.
  ///
  /// - Throws: `CommandFailure`.
  func checkPermission() throws(CommandFailure)
}
