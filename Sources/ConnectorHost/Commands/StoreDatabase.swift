internal import ConnectorKit
internal import Database
internal import Platform

/// The store of what must not be lost: journal, outbox, own files and values, in the SQLite file `commands.db`.
///
/// It exists whatever condition the file is in; while that cannot be used, every call fails quickly, and it is tried again
/// every ten seconds. A damaged file is set aside for a new one. All work is done on a thread of its own, in the
/// order of the calls: a caller whose task is cancelled stops waiting, and what it asked for is done when the disk allows.
final class StoreDatabase: Sendable {
  private let thread: DatabaseThread<StoreFile>
  let drops = StoreDrops()

  /// A store in `directory`; its file is opened by the first call.
  init(
    directory: StateDirectory, time: any TimeSource, log: Log, limits: StoreLimits = StoreLimits()
  ) {
    thread = DatabaseThread(
      name: "store",
      owner: StoreFile(
        directory: directory, name: "commands.db", limits: limits, time: time, log: log,
        drops: drops))
  }

  /// Opens the file. The commands that were under way when the last run ended have the outcome `.interrupted` then, and
  /// what is owed for them lies in the outbox, all in one transaction.
  ///
  /// - Returns: those commands, once each, for the audit.
  /// - Throws: `StoreFailure`; call it again later, it is made up for at the first successful opening.
  func recoverInterrupted() async throws(StoreFailure) -> [InterruptedCommand] {
    try await call { file throws(StoreFailure) in
      try file.perform { _ in }
      return file.takeInterrupted()
    }
  }

  /// Closes the file, after all that was asked before; every later call fails.
  func close() async {
    _ = try? await thread.run { file in file.close() }
  }

  /// Looks something up.
  func read<Result: Sendable>(
    _ body: @escaping @Sendable (StoreTables, StoreFile) throws -> Result
  ) async throws(StoreFailure) -> Result {
    try await call { file throws(StoreFailure) in
      try file.perform { try body($0, file) }
    }
  }

  /// Changes something, in one transaction.
  func write<Result: Sendable>(
    _ body: @escaping @Sendable (StoreTables, StoreFile) throws -> Result
  ) async throws(StoreFailure) -> Result {
    try await call { file throws(StoreFailure) in
      try file.perform { tables in
        try tables.connection.transaction { try body(tables, file) }
      }
    }
  }

  private func call<Result: Sendable>(
    _ body: @escaping @Sendable (StoreFile) throws(StoreFailure) -> Result
  ) async throws(StoreFailure) -> Result {
    do {
      return try await thread.run { file in try body(file) }
    } catch let failure as StoreFailure {
      throw failure
    } catch is CancellationError {
      throw StoreFailure("nobody waited for the disk any longer", isAbandoned: true)
    } catch {
      throw StoreFailure("\(error)")
    }
  }
}
