internal import ConnectorKit
internal import Cryptography
internal import JSON
internal import Networking
internal import Platform

/// Prints files: finds out which one is meant, and has it brought where it is not there as it should be.
struct PrintRunner: Sendable {
  let context: BackendContext
  let client: HubClient
  let address: HubAddress
  let rules: FileRules
  let origins: DownloadOrigins
  let fetch: FileFetch
  let shelf: PrinterShelf
  let memory: HubMemory
  let statistics: StatisticsKeeper

  /// What was found out about a file before it is fetched.
  private struct Plan: Sendable {
    /// Where it goes on the printer.
    var path: GCodePath
    /// The hub's name of it.
    var name: String
    var url: String
    var md5: String?
    var sha256: String?
  }

  typealias Owing = @Sendable (CommandOutcome) -> OwedItem?

  /// Prints a file of the hub's.
  func print(
    _ order: HubOrder.PrintOrder, _ job: CommandQueue.Job, owing: @escaping Owing
  ) async -> CommandOutcome {
    do throws(CommandFailure) {
      // What the first hub's page means by a name alone may lie on the printer.
      if address.generation == .v1, order.url == nil, let local = await local(order.file) {
        return await start(local, job, work: nil, owing)
      }
      let plan = try await plan(order)
      if await isThere(plan) {
        context.log(.info, "\(plan.path): is there already, with the same checksum")
        return await start(plan.path, job, work: nil, owing)
      }
      return await bring(plan, job, owing)
    } catch {
      return await refuse(job, error, owing)
    }
  }

  /// Prints a file that is on the printer, by the name that the hub was told.
  func printLocal(
    _ name: String, _ job: CommandQueue.Job, owing: @escaping Owing
  ) async -> CommandOutcome {
    guard let path = await local(name) else {
      return await refuse(
        job, CommandFailure(.invalid, "there is no such file on the printer"), owing)
    }
    return await start(path, job, work: nil, owing)
  }

  // MARK: Which file

  private func local(_ name: String) async -> GCodePath? {
    let listing = await shelf.readFiles() ?? shelf.contents.listing
    return listing.file(toldAs: name).flatMap { GCodePath($0.path) }
  }

  private func plan(_ order: HubOrder.PrintOrder) async throws(CommandFailure) -> Plan {
    _ = try FileName.check(order.file)
    let url = try url(order)
    var row: HubFile?
    if address.generation == .v2 || (order.md5 == nil && order.sha256 == nil) {
      row = await hubFile(order.file)
    }
    var name = order.file
    if address.generation == .v2, let original = row?.originalName,
      let cleaned = FileName.cleaned(original)
    {
      name = cleaned
    }
    guard let path = GCodePath("\(rules.subdirectory)/\(name)"), path.isGCode else {
      throw CommandFailure(.invalid, "the file's name cannot be used")
    }
    let md5 = order.md5 ?? (order.sha256 == nil ? row?.md5 : nil)
    if md5 == nil, order.sha256 == nil, rules.checksums == .required {
      throw CommandFailure(
        .invalid, "the hub tells no checksum, and file_management.verify_checksums is required")
    }
    return Plan(path: path, name: order.file, url: url, md5: md5, sha256: order.sha256)
  }

  private func url(_ order: HubOrder.PrintOrder) throws(CommandFailure) -> String {
    guard let written = order.url else {
      return HubAddress.query(
        address.files,
        [
          ("action", "download_file"), ("file", order.file),
          ("printer_token", client.token.revealed),
        ])
    }
    guard written.utf8.count <= 2_048, written.unicodeScalars.allSatisfy({ $0.value > 0x20 }),
      let url = URLParts.resolve(written, from: address.update), origins.allow(url)
    else {
      throw CommandFailure(
        .invalid,
        "download_url leads to a place that is not the hub's and not in file_management.allowed_download_hosts"
      )
    }
    return url
  }

  /// What the hub says of its file; nil where it does not.
  private func hubFile(_ name: String) async -> HubFile? {
    guard let reply = try? await client.files(at: address),
      case .accepted(let object) = reply.answer
    else { return nil }
    return object.list("files").lazy.compactMap(HubFile.init).first { $0.name == name }
  }

  /// Whether the file that is meant lies there, as this connector brought it.
  private func isThere(_ plan: Plan) async -> Bool {
    guard rules.checksums != .off, plan.md5 != nil || plan.sha256 != nil,
      let known = memory.contents.files[plan.path.text],
      plan.md5 == nil || plan.md5 == known.md5, plan.sha256 == nil || plan.sha256 == known.sha256,
      let own = await context.commands.ownFiles()?.first(where: { $0.path == plan.path }),
      own.sha256 == known.sha256, let present = await shelf.readFiles()?.file(plan.path.text)
    else { return false }
    // What costs nothing first; a file that was changed in place may have both as before (`cp -p`, `rsync`).
    guard present.size == own.size, abs(present.modified - own.modified) < 0.001 else {
      return false
    }
    return await context.commands.isUnchanged(plan.path)
  }

  // MARK: Starting

  private func bring(
    _ plan: Plan, _ job: CommandQueue.Job, _ owing: @escaping Owing
  ) async -> CommandOutcome {
    let outcome = await start(
      plan.path, job,
      work: { [fetch, memory, statistics, client] (printer) async throws(CommandFailure) in
        let checks = FileFetch.Checks(md5: plan.md5, sha256: plan.sha256)
        let file = try await fetch.file(at: plan.url, checks) { percent in
          client.context.log(.info, "\(plan.path): \(percent) % fetched")
          memory.change {
            $0.board.note(CommandReport(job.command, progress: "\(percent) % fetched"))
          }
        }
        try printer.checkPermission()
        let item = try await printer.upload(file.file)
        memory.change {
          $0.files[plan.path.text] = HubMemory.KnownFile(md5: file.md5, sha256: file.file.sha256)
        }
        statistics.count { $0.filesDownloaded &+= 1 }
        return item
      }, owing)
    if outcome.status == .done, !outcome.isRepeat { await tellDownloaded(plan) }
    return outcome
  }

  private func start(
    _ path: GCodePath, _ job: CommandQueue.Job, work: CommandWork?, _ owing: @escaping Owing
  ) async -> CommandOutcome {
    // The gate knows nothing of it before; from here on a stop or a cancel finds it there.
    if let reason = job.withdrawal.withLock({ $0 }) { return await refuse(job, reason, owing) }
    return await context.commands.submit(
      CommandRequest(
        id: job.command.id, wireName: job.command.action, command: .start(path, .person),
        age: job.command.age), in: job.contact, work: work, owing: owing)
  }

  private func refuse(
    _ job: CommandQueue.Job, _ reason: CommandFailure, _ owing: @escaping Owing
  ) async -> CommandOutcome {
    await context.commands.submit(
      CommandRequest(
        id: job.command.id, wireName: job.command.action, command: job.order.standIn,
        age: job.command.age, refusal: reason), in: job.contact, work: nil, owing: owing)
  }

  private func tellDownloaded(_ plan: Plan) async {
    let isWanted =
      rules.markDownloaded == "always"
      || (rules.markDownloaded == "auto" && address.generation == .v2)
    guard isWanted, let reply = try? await client.markDownloaded(plan.name, at: address) else {
      return
    }
    if let problem = reply.answer.problem(host: "the hub") {
      context.log(.warning, "\(plan.path): could not be marked as downloaded: \(problem)")
    }
  }
}
