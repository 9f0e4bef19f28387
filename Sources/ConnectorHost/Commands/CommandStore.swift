internal import ConnectorKit
internal import JSON
internal import Platform

/// What the gate must not lose: the journal, the manifest of own files, and a few values (the bed, `read-only`, who owns
/// the job). On the disk when a call returns.
protocol CommandStore: Sendable {
  /// What is known of a command; nil: never seen.
  func command(_ id: CommandID) async throws(StoreFailure) -> StoredCommand?

  /// Writes that a command is about to be sent, together with what its far side is owed if we do not live to see its end.
  func begin(_ intent: CommandIntent) async throws(StoreFailure)

  /// Writes a command's outcome and what its far side is owed for it, in one; also where its intent could not be written:
  /// it has an empty digest then. A command that ends once more is owed what it was owed the first time.
  func end(
    _ id: CommandID, _ outcome: CommandOutcome, owed: OwedItem?
  ) async throws(StoreFailure)

  /// Writes a command that was sent before its intent could be: intent and outcome in one.
  func record(
    _ intent: CommandIntent, _ outcome: CommandOutcome, owed: OwedItem?
  ) async throws(StoreFailure)

  /// Writes what the far side is owed for a command that has been sent and has not ended, in one with the note that
  /// nothing is owed should we not live to see its end.
  func answerEarly(_ id: CommandID, _ owed: OwedItem) async throws(StoreFailure)

  /// Keeps a command from being forgotten because it is long ago: its far side has just handed it out again.
  func renew(_ id: CommandID) async throws(StoreFailure)

  /// A value by its name; nil: never set, or lost.
  func value(_ name: String) async throws(StoreFailure) -> JSONValue?

  /// Sets a value.
  func setValue(_ name: String, _ value: JSONValue) async throws(StoreFailure)

  /// What is known of a file that one of the backends brought; nil: not one of ours.
  func ownFile(_ path: GCodePath) async throws(StoreFailure) -> OwnFile?

  /// The files that a backend brought, oldest first.
  func ownFiles(of backend: String) async throws(StoreFailure) -> [OwnFile]

  /// Notes a file that a backend brought.
  func note(_ file: OwnFile) async throws(StoreFailure)

  /// Forgets a file.
  func forget(_ path: GCodePath) async throws(StoreFailure)
}

extension CommandStore {
  /// A store that forgets nothing.
  func renew(_ id: CommandID) async throws(StoreFailure) {}

  func record(
    _ intent: CommandIntent, _ outcome: CommandOutcome, owed: OwedItem?
  ) async throws(StoreFailure) {
    try await begin(intent)
    try await end(intent.id, outcome, owed: owed)
  }
}

/// A command's name in the journal.
struct CommandID: Sendable, Hashable {
  /// The backend's name.
  var backend: String
  /// The far side's id.
  var id: String
}

/// A command that is about to be sent.
struct CommandIntent: Sendable {
  var id: CommandID
  /// The wire's name for it.
  var wireName: String
  var kind: PrinterCommand.Kind
  /// SHA-256 of the command with its parameters, lower-case hex: never the parameters themselves.
  var digest: String
  var at: WallTime
  /// What the far side is owed if we do not live to see the end.
  var owedIfInterrupted: OwedItem?
}

/// A command that the journal knows.
struct StoredCommand: Sendable, Hashable {
  /// SHA-256 of the command with its parameters; empty where its intent could not be written.
  var digest: String
  /// How it ended; nil: begun, and no end is known (its task may still run).
  var outcome: CommandOutcome?
}

/// A file that a backend brought, as it was when it came.
struct OwnFile: Sendable, Hashable {
  var path: GCodePath
  /// The backend that brought it.
  var backend: String
  var size: Int64
  /// Seconds since 1970, as Moonraker says it.
  var modified: Double
  var sha256: String
  var at: WallTime
}

/// Why the store did not do what it was asked.
struct StoreFailure: Error, Sendable, CustomStringConvertible {
  /// For the log: what failed and what to do.
  var description: String
  /// Whether only the caller's patience ended (its task was cancelled): it is done all the same when its turn comes.
  var isAbandoned: Bool
  init(_ description: String, isAbandoned: Bool = false) {
    self.description = description
    self.isAbandoned = isAbandoned
  }
}
