internal import ConnectorKit
internal import HTTPServer
internal import JSON
internal import Platform

/// Takes what Cura prints: from the network to the disk, past the inspection, to Moonraker, into the queue or onto the bed.
struct UploadDesk: Sendable {
  /// So long Cura waits for Moonraker; then the job goes on without it.
  private static let patience = Duration.seconds(60)

  let hub: CuraHub
  let slots: UploadSlots

  private var context: BackendContext { hub.context }
  private var configuration: CuraConfiguration { hub.configuration }
  private var desk: JobDesk { JobDesk(hub: hub) }

  /// `POST print_jobs/`: answers when Moonraker has the file.
  func take(_ request: HTTPServer.Request, _ body: RequestBody) async -> HTTPServer.Response {
    guard await slots.take() else {
      return refuse(UploadFailure(status: 503, problem: "too many uploads at once"), "upload")
    }
    // Whoever has the file has the slot: what is slow at the printer holds up those who come.
    let slot = Guarded(true)
    let leave: @Sendable () -> Void = { [slots] in
      if slot.withLock({ isHeld in
        defer { isHeld = false }
        return isHeld
      }) {
        slots.leave()
      }
    }
    let receiver = UploadReceiver(
      transfers: context.transfers, maximumSize: configuration.maximumUpload)
    var name = "upload"
    do {
      // A form's own bytes are few.
      if let length = request.contentLength,
        Int64(length) > configuration.maximumUpload + (64 << 10)
      {
        throw receiver.tooLarge
      }
      guard hub.waitingCount < QueueStatus.most else {
        throw UploadFailure(
          status: 503, problem: "\(QueueStatus.most) jobs wait already; delete some")
      }
      let upload = try await receiver.receive(
        body, contentType: request.field("Content-Type") ?? "",
        announced: request.contentLength.map { Int64($0) })
      name = upload.name.fileName(0)
      let finding = try await inspect(upload)
      return await accept(upload, finding, leave)
    } catch let failure as UploadFailure {
      leave()
      return refuse(failure, name)
    } catch is RequestBody.BrokenOff {
      // Nobody is there to be told, and there is no job.
      leave()
      context.log(.info, "an upload broke off")
      return JSONAnswer.message(400, "The upload broke off.")
    } catch {
      leave()
      return refuse(UploadFailure(status: 507, problem: "the upload could not be stored"), name)
    }
  }

  /// Cura says "sent" whatever the answer is: only a job in the list tells a person that it was not.
  private func refuse(_ failure: UploadFailure, _ name: String) -> HTTPServer.Response {
    context.log(.warning, "an upload was not taken: \(failure.problem)")
    var job = newJob(name, owner: "")
    job.phase = .failed(failure.problem)
    job.notice = failure.problem
    let uuid = job.uuid ?? ""
    hub.change { book in
      book.add(job)
      book.fail(uuid, failure.problem)
    }
    return JSONAnswer.message(failure.status, failure.problem)
  }

  private func newJob(_ name: String, owner: String) -> CuraJob {
    CuraJob(
      uuid: GUIDText.random(), name: name, path: nil, owner: owner,
      createdAt: context.time.wallTime, phase: .coming)
  }

  private func inspect(_ upload: ReceivedUpload) async throws -> UploadInspection.Finding {
    let inspection = UploadInspection(maximumUnpacked: configuration.maximumUnpacked)
    let (file, kind) = (upload.file, upload.name.kind)
    return try await offload { try inspection.inspect(file.path, kind) }
  }

  // MARK: To Moonraker

  private func accept(
    _ upload: ReceivedUpload, _ finding: UploadInspection.Finding,
    _ leave: @escaping @Sendable () -> Void
  ) async -> HTTPServer.Response {
    var job = newJob(upload.name.fileName(0), owner: upload.owner)
    job.isGriffin = finding.isGriffin
    let uuid = job.uuid ?? ""
    hub.change { [job] in $0.add(job) }
    let sent = await hub.work.result(within: Self.patience) {
      defer { leave() }
      return await send(upload, uuid)
    }
    switch sent {
    case nil: return JSONAnswer.accepted(202, uuid)
    case nil?: return JSONAnswer.accepted(201, uuid)
    case let failure??:
      return JSONAnswer.message(failure.status, failure.problem)
    }
  }

  /// Brings a file to Moonraker, and has what follows done.
  ///
  /// - Returns: why it did not get there.
  private func send(_ upload: ReceivedUpload, _ uuid: String) async -> UploadFailure? {
    do throws(UploadFailure) {
      let path = try await store(upload)
      hub.change { book in
        book.update(uuid) { job in
          job.path = path
          job.name = path.name
        }
      }
      // Whoever is told that it was taken finds it again, whatever becomes of us.
      _ = await hub.keeper.flush()
      if !hub.work.add({ await follow(uuid) }) { await follow(uuid) }
      return nil
    } catch {
      context.log(.warning, "an upload did not get to the printer: \(error.problem)")
      hub.change { $0.fail(uuid, error.problem) }
      return error
    }
  }

  private func store(_ upload: ReceivedUpload) async throws(UploadFailure) -> GCodePath {
    var file = upload.file
    if upload.name.kind == .gzip {
      file = try await GzipUnpacking(
        transfers: context.transfers, maximumUnpacked: configuration.maximumUnpacked
      ).unpack(file)
    }
    let taken = try await names()
    guard let number = hub.reserve(upload.name, besides: taken) else {
      throw UploadFailure(status: 409, problem: "there are too many files of that name")
    }
    defer { hub.release(upload.name.keptName(number)) }
    let folder = configuration.uploadFolder.map { "\($0)/" } ?? ""
    guard let path = GCodePath(folder + upload.name.fileName(number)) else {
      throw UploadFailure(status: 415, problem: "the file's name cannot be used")
    }
    let staged = file
    let outcome = await desk.submit(.upload(path), wireName: "print_jobs") {
      printer throws(CommandFailure) in try await printer.upload(staged)
    }
    guard outcome.status == .done else {
      let status = JobDesk.answer(outcome).status
      throw UploadFailure(status: status == 202 ? 503 : status, problem: outcome.message)
    }
    guard let kept = outcome.details?["path"]?.string.flatMap({ GCodePath($0) }) ?? path.kept else {
      throw UploadFailure(status: 503, problem: "Moonraker does not say where the file is")
    }
    return kept
  }

  /// The names of the files in the folder for uploads; a folder that is not there yet holds none.
  ///
  /// - Throws: `UploadFailure` where nobody knows: Moonraker puts a file in the place of another of its name.
  private func names() async throws(UploadFailure) -> Set<String> {
    let path = configuration.uploadFolder.map { "gcodes/\($0)" } ?? "gcodes"
    guard
      let request = MoonrakerRequest(
        parts: ["server", "files", "directory"], method: .get, query: [("path", path)])
    else { return [] }
    let outcome = await desk.submit(.query(request), wireName: "print_jobs:names")
    let isMissing =
      outcome.reason == .printerRefused && outcome.message.contains(text: "does not exist")
    guard outcome.status == .done || isMissing else {
      throw UploadFailure(
        status: outcome.reason == .notPermitted ? 403 : 503,
        problem: "it is not known which names are taken: \(outcome.message)")
    }
    return Set((outcome.details?["files"]?.array ?? []).compactMap { $0["filename"]?.string })
  }

  // MARK: Onto the bed, or into the queue

  private func follow(_ uuid: String) async {
    // One after the other, so that the queue is in the order in which they came.
    guard await hub.line.take() else {
      // Where we are ending, the next start finds it.
      if !Task.isCancelled { hub.change { $0.fail(uuid, "too many at once") } }
      return
    }
    defer { hub.line.leave() }
    await learnEstimate(of: uuid)
    guard let job = hub.job(uuid), case .coming = job.phase, let path = job.path else { return }
    guard let reason = reasonToWait(job) else { return await start(job, path, uuid) }
    hub.change { $0.update(uuid) { $0.notice = reason } }
    if job.isGriffin { context.log(.warning, "\(job.name) waits: \(reason)") }
    await desk.enqueue(job)
  }

  /// Why a job goes into the queue; nil: it is started.
  private func reasonToWait(_ job: CuraJob) -> String? {
    if job.isGriffin, !configuration.allowsGriffin {
      return
        "it is in Ultimaker's own G-code (Griffin), which neither homes nor heats: use the printer definition that printer-uplink cura-definition makes, or set allow_griffin"
    }
    let reading = hub.reading
    switch configuration.autoStart {
    case .never: return "auto_start is never"
    case .whenClear, .always:
      if !reading.isReachable { return "the printer is not ready" }
      if reading.isJobOn { return "the printer is busy" }
      if !hub.queue.isEmpty { return "others wait already" }
      // The gate has the last word; asked beforehand, the job is not shown as being started meanwhile.
      let mayBeClear = context.isBedClear() || configuration.assumeClearAfter != nil
      return mayBeClear ? nil : "the bed is not known to be clear"
    }
  }

  private func start(_ job: CuraJob, _ path: GCodePath, _ uuid: String) async {
    guard hub.change({ $0.beginStart(uuid, at: context.time.now) }) else {
      return await desk.enqueue(job)
    }
    let outcome = await desk.begin(
      path, .itself, "print_jobs:start", configuration.assumeClearAfter)
    switch outcome.status {
    case .done: hub.change { $0.startTaken(uuid, at: context.time.now) }
    case .unknown: desk.log("nobody knows whether \(job.name) was started", outcome)
    case .refused, .failed:
      context.log(.info, "\(job.name) waits in the queue: \(outcome.message)")
      hub.change { $0.startFailed(uuid, back: .coming, outcome.message) }
      if let waiting = hub.job(uuid) { await desk.enqueue(waiting) }
    }
  }

  /// Asks how long it takes, once Moonraker has read the file.
  private func learnEstimate(of uuid: String) async {
    guard let path = hub.job(uuid)?.path,
      let request = MoonrakerRequest(
        parts: ["server", "files", "metadata"], method: .get, query: [("filename", path.text)])
    else { return }
    let outcome = await desk.submit(.query(request), wireName: "print_jobs:estimate")
    guard let seconds = PrinterReading.seconds(outcome.details?["estimated_time"]?.double) else {
      return
    }
    hub.change { $0.update(uuid) { $0.estimate = seconds } }
  }
}
