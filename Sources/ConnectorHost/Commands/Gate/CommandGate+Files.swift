internal import ConnectorKit
internal import Platform

// Whose a file is: what decides whether a far side may delete or replace it.

extension CommandGate {
  /// Checks that a file may be deleted: one of the backend's own, as it brought it; never the current or a queued one.
  ///
  /// With `files.delete_any` others' files may go too, but not those two; and none by a backend's own idea.
  ///
  /// - Throws: `CommandFailure` (`notOwn`, `wrongState`), or what Moonraker said where it does not tell.
  func checkDeletion(of path: GCodePath, _ run: CommandRun) async throws(CommandFailure) {
    if run.request.deletesOwnOnly || !run.policy.permissions.contains(.filesDeleteAny) {
      try await checkOwnership(path, run)
    }
    try checkUnused(path)
    try await printer.checkInside(path)
    guard try await !printer.queuedFiles().contains(path.text) else {
      throw CommandFailure(.wrongState, "the file is in the queue")
    }
    try checkUnused(path)
  }

  private func checkOwnership(_ path: GCodePath, _ run: CommandRun) async throws(CommandFailure) {
    guard let own = try await ownFile(path, run) else {
      throw CommandFailure(.notOwn, "the file was not brought by \(run.id.backend)")
    }
    guard let present = try await printer.fileState(path) else {
      journal.forget(path)
      throw CommandFailure(.printerRefused, "the file is not there any more")
    }
    guard try await isUnchanged(own, present) else {
      throw CommandFailure(.notOwn, "the file was changed since it was brought")
    }
  }

  /// Checks that a file may be put there: over nothing, or over the backend's own, as it brought it.
  ///
  /// With `files.delete_any` over others' files too.
  ///
  /// - Throws: `CommandFailure` (`notOwn`, `journal`), or what Moonraker said where it does not tell.
  func checkReplacement(of path: GCodePath, _ run: CommandRun) async throws(CommandFailure) {
    guard !run.policy.permissions.contains(.filesDeleteAny),
      let present = try await printer.fileState(path)
    else { return }
    guard let own = try await ownFile(path, run), try await isUnchanged(own, present) else {
      throw CommandFailure(
        .notOwn, "a file of that name exists and is not one that this connector brought")
    }
  }

  /// Whether a file lies there as the backend brought it; false also where that cannot be found out.
  func isUnchanged(_ path: GCodePath, of backend: String) async -> Bool {
    guard let known = await journal.ownFile(path), let own = known, own.backend == backend else {
      return false
    }
    do throws(CommandFailure) {
      guard let present = try await printer.fileState(path) else { return false }
      return try await isUnchanged(own, present)
    } catch {
      return false
    }
  }

  /// The file as the backend brought it; nil where it did not.
  private func ownFile(
    _ path: GCodePath, _ run: CommandRun
  ) async throws(CommandFailure) -> OwnFile? {
    guard let known = await journal.ownFile(path) else {
      throw CommandFailure(.journal, "the list of own files cannot be read")
    }
    return known?.backend == run.id.backend ? known : nil
  }

  /// Whether a file is as it was brought, byte for byte. Size and time say so first, because they cost nothing; they alone
  /// would take a file that was copied with its time (`cp -p`, `rsync`, a backup) for the one that lay there before.
  private func isUnchanged(
    _ own: OwnFile, _ present: FileState
  ) async throws(CommandFailure) -> Bool {
    guard own.isLike(present), try await printer.sha256(of: own.path) == own.sha256 else {
      return false
    }
    // Nor was it changed while it was read.
    return try await printer.fileState(own.path) == present
  }

  private func checkUnused(_ path: GCodePath) throws(CommandFailure) {
    let check = StateCheck(status: look())
    guard check.status.klippy != .ready || check.status.isCurrent else {
      throw CommandFailure(.notConnected, "the printer does not tell its state")
    }
    let isStarting = state.withLock { $0.ledger.expects(path.text) }
    guard !isStarting, !(check.isJobOn && check.currentFile == path.text) else {
      throw CommandFailure(.wrongState, "the file is being printed")
    }
  }

  /// Notes a file that a backend has brought.
  ///
  /// - Parameter sent: what was sent; nil: it is noted as it is now, where Moonraker has unpacked it.
  func noteOwn(_ path: GCodePath, of backend: String, as sent: StagedFile?) async {
    let present = try? await printer.fileState(path)
    let sha256 = if let sent { sent.sha256 } else { try? await printer.sha256(of: path) }
    guard let present, let sha256, present.size == sent?.size ?? present.size else {
      log(.warning, "\(path): cannot be looked at; \(backend) will not be able to delete it")
      return
    }
    let file = OwnFile(
      path: path, backend: backend, size: present.size, modified: present.modified, sha256: sha256,
      at: time.wallTime)
    if await !journal.note(file) {
      log(.warning, "\(path): could not be noted; \(backend) may not be able to delete it")
    }
  }
}

extension OwnFile {
  /// Whether a file may be the one that was brought. Moonraker's seconds have microseconds.
  fileprivate func isLike(_ present: FileState) -> Bool {
    present.size == size && abs(present.modified - modified) < 0.001
  }
}
