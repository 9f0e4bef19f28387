internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// The backend's part of a backup: finds the files, packs them, and sends the archive to PrintDock's storage.
struct BackupWork: Sendable {
  let order: BackupOrder
  /// The folder of the printer's data, as the owner has set it; nil: this user's `printer_data`.
  let root: String?
  let takesConf: Bool
  let cloudURL: String
  let context: BackendContext

  /// - Throws: `CommandFailure` with the text that PrintDock is told.
  func run(_ printer: any GatedPrinter) async throws(CommandFailure) -> JSONValue? {
    let root = try localRoot()
    guard
      let request = BackupTarget.request(
        to: order.address.revealed, cloud: cloudURL, moonraker: context.moonrakerAddress)
    else {
      throw CommandFailure(.invalid, "invalid params.presigned_url")
    }
    let plan = try await plan(root)
    if !plan.skipped.isEmpty { warn("lies outside of it, or cannot be read", plan.skipped) }
    let file = try await archive(plan)
    let response: HTTPResponse
    // Packing may have taken its time.
    try printer.checkPermission()
    do throws(TransferFailure) {
      response = try await context.transfers.send(file, as: request)
    } catch {
      throw CommandFailure(
        .transfer, "failed to upload backup: \(error.description)",
        mayHaveHappened: false)
    }
    guard (200..<300).contains(response.status) else {
      throw CommandFailure(
        .transfer, "failed to upload backup: upload failed with status \(response.status)")
    }
    return [
      "size_bytes": .integer(file.size), "sha256": .string(file.sha256),
      "uploaded_at": .string(context.time.wallTime.rfc3339Seconds),
    ]
  }

  /// The one folder that backups are made of.
  private func localRoot() throws(CommandFailure) -> String {
    guard Self.isLocal(context.moonrakerAddress) else {
      throw Self.failure(.invalid, "Moonraker runs on another host, whose files are out of reach")
    }
    guard let root = root ?? Self.usual else {
      throw Self.failure(.invalid, "printer_data_root is not set")
    }
    if let told = order.root, Self.trimmed(told) != Self.trimmed(root) {
      throw CommandFailure(
        .invalid, "invalid params.printer_data_root: it is not the configured folder")
    }
    return root
  }

  private func plan(_ root: String) async throws(CommandFailure) -> BackupPlan {
    let (folders, takesConf) = (order.included, takesConf)
    do {
      return try await offload {
        try BackupPlan(root: root, folders: folders, takesConf: takesConf)
      }
    } catch {
      throw Self.failure(.invalid, (error as? BackupPlan.Defect)?.problem ?? "\(error)")
    }
  }

  private func archive(_ plan: BackupPlan) async throws(CommandFailure) -> StagedFile {
    let lost = Guarded<[String]>([])
    let defect = Guarded<String?>(nil)
    do throws(TransferFailure) {
      // Text compresses to a fraction of this.
      let file = try await context.transfers.stage(expectedSize: plan.size) { writer in
        do {
          let names = try BackupArchive.write(plan) { try writer.write($0) }
          lost.withLock { $0 = names }
        } catch let error as TransferFailure {
          throw error
        } catch {
          // A file's path would be told to the far side: what it was is said in our log.
          let problem = (error as? BackupPlan.Defect)?.problem ?? "a file cannot be read"
          defect.withLock { $0 = problem }
          throw error
        }
      }
      let names = lost.withLock { $0 }
      if !names.isEmpty { warn("cannot be read", names) }
      return file
    } catch {
      context.log(.warning, "backup: \(error.description)")
      throw Self.failure(.transfer, defect.withLock { $0 } ?? error.description)
    }
  }

  private func warn(_ why: String, _ names: [String]) {
    let shown = names.prefix(5).map(\.printable).joined(separator: ", ")
    let more = names.count > 5 ? " and \(names.count - 5) more" : ""
    context.log(.warning, "backup without \(shown)\(more): \(why)")
  }

  /// Whether Moonraker's files are on this host, as far as its address tells.
  static func isLocal(_ moonraker: String) -> Bool {
    moonraker.hasPrefix("unix:") || URLParts(moonraker)?.isLoopback == true
  }

  /// Where printers have their data when nobody says otherwise.
  static var usual: String? {
    guard let home = Environment.variables["HOME"], home.hasPrefix("/"), home != "/root" else {
      return nil
    }
    return trimmed(home) + "/printer_data"
  }

  private static func trimmed(_ path: String) -> String {
    var path = path[...]
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    return String(path)
  }

  private static func failure(
    _ reason: CommandOutcome.Reason, _ problem: String
  ) -> CommandFailure { CommandFailure(reason, "failed to create backup: \(problem)") }
}
