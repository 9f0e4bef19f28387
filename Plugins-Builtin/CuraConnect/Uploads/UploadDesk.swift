internal import ConnectorKit
internal import HTTPServer
internal import JSON
internal import Platform

/// Takes what Cura prints: from the network to the disk, past the inspection, to Moonraker, into the queue or onto the bed.
struct UploadDesk: Sendable {
  /// So long Cura waits for Moonraker; then the job goes on without it.
  private static let patience = Duration.seconds(60)
  /// Whoever sends for longer does not stand before the printer any more: what has come then starts nothing by itself.
  private static let longestUpload = Duration.seconds(30 * 60)

  let hub: CuraHub
  let slots: UploadSlots

  private var context: BackendContext { hub.context }
  private var configuration: CuraConfiguration { hub.configuration }
  private var desk: JobDesk { JobDesk(hub: hub) }

  /// `POST print_jobs/`: answers when Moonraker has the file.
  func take(_ request: HTTPServer.Request, _ body: RequestBody) async -> HTTPServer.Response {
    let arrivedAt = context.time.now
    guard await slots.take() else {
      return refuse(UploadFailure(status: 503, problem: "too many uploads at once"), "upload", "")
    }
    // What is being unpacked or sent keeps its slot when its request has been answered.
    var keepsSlot = false
    defer { if !keepsSlot { slots.leave() } }
    let receiver = UploadReceiver(
      time: context.time, transfers: context.transfers, maximumSize: configuration.maximumUpload)
    var (name, owner) = ("upload", "")
    do {
      // A form's own bytes are few.
      if let length = request.contentLength,
        Int64(length) > configuration.maximumUpload + UploadReceiver.mostForm
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
      (name, owner) = (upload.name.fileName(0), upload.owner)
      let finding = try await inspect(upload)
      keepsSlot = true
      return await accept(upload, finding, arrivedAt: arrivedAt)
    } catch let failure as UploadFailure {
      return refuse(failure, failure.name ?? name, owner)
    } catch is RequestBody.BrokenOff {
      // Nobody is there to be told, and there is no job.
      context.log(.info, "an upload broke off")
      return JSONAnswer.message(400, "The upload broke off.")
    } catch {
      return refuse(
        UploadFailure(status: 507, problem: "the upload could not be stored"), name, owner)
    }
  }

  /// An upload of which not even the rest can be read to its end.
  func refuseHuge() -> HTTPServer.Response {
    refuse(
      UploadFailure(
        status: 413,
        problem: "the upload is larger than \(configuration.maximumUpload >> 20) MB"),
      "upload", "")
  }

  /// Cura says "sent" whatever the answer is: only a job in the list tells a person that it was not.
  private func refuse(
    _ failure: UploadFailure, _ name: String, _ owner: String
  ) -> HTTPServer.Response {
    context.log(.warning, "an upload was not taken: \(failure.problem)")
    var job = newJob(name, owner: owner)
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
    _ upload: ReceivedUpload, _ finding: UploadInspection.Finding, arrivedAt: MonotonicInstant
  ) async -> HTTPServer.Response {
    var job = newJob(upload.name.fileName(0), owner: upload.owner)
    job.isGriffin = finding.isGriffin
    let uuid = job.uuid ?? ""
    hub.change { [job] in $0.add(job) }
    let sent = await hub.work.result(within: Self.patience) {
      await send(upload, uuid, arrivedAt: arrivedAt)
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
  private func send(
    _ upload: ReceivedUpload, _ uuid: String, arrivedAt: MonotonicInstant
  ) async -> UploadFailure? {
    defer { slots.leave() }
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
      if !hub.work.add({ await follow(uuid, arrivedAt: arrivedAt) }) {
        await follow(uuid, arrivedAt: arrivedAt)
      }
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
    let number = try await reserve(upload.name)
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

  /// Takes a name that no file has. Only a list that was made while the name was ours tells that: another upload of that
  /// name may just have ended.
  private func reserve(_ name: UploadName) async throws(UploadFailure) -> Int {
    var taken: Set<String> = []
    while let number = hub.reserve(name, besides: taken) {
      let present: Set<String>
      do throws(UploadFailure) {
        present = try await names()
      } catch {
        hub.release(name.keptName(number))
        throw error
      }
      if !present.contains(name.keptName(number)), !present.contains(name.fileName(number)) {
        return number
      }
      hub.release(name.keptName(number))
      taken.formUnion(present)
    }
    throw UploadFailure(status: 409, problem: "there are too many files of that name")
  }

  /// The names of the files in the folder for uploads; a folder that is not there yet holds none.
  ///
  /// - Throws: `UploadFailure` where nobody knows: Moonraker puts a file in the place of another of its name.
  private func names() async throws(UploadFailure) -> Set<String> {
    let path = configuration.uploadFolder.map { "gcodes/\($0)" } ?? "gcodes"
    guard
      let request = MoonrakerRequest(
        parts: ["server", "files", "directory"], method: .get, query: [("path", path)])
    else { throw UploadFailure(status: 503, problem: "the folder for uploads cannot be looked at") }
    let outcome = await desk.submit(.query(request), wireName: "print_jobs:names")
    if outcome.status == .done, let files = outcome.details?["files"]?.array {
      return Set(files.compactMap { $0["filename"]?.string })
    }
    if outcome.reason == .printerRefused, outcome.message.contains(text: "does not exist") {
      return []
    }
    throw UploadFailure(
      status: outcome.reason == .notPermitted ? 403 : 503,
      problem: "it is not known which names are taken: \(outcome.message)")
  }

  // MARK: Onto the bed, or into the queue

  private func follow(_ uuid: String, arrivedAt: MonotonicInstant) async {
    // One after the other, so that the queue is in the order in which they came.
    guard await hub.line.take() else {
      // At the end of the daemon it stays as it is, and the next one says what became of it.
      if !Task.isCancelled { hub.change { $0.fail(uuid, "too many at once") } }
      return
    }
    let starting = await queueOrTake(uuid, arrivedAt: arrivedAt)
    // A start may take minutes; who deletes or moves something meanwhile need not wait for it.
    hub.line.leave()
    guard let starting else { return }
    let outcome = await desk.send(
      starting, wireName: "print_jobs:start", .itself,
      assumesClearAfter: configuration.assumeClearAfter)
    guard outcome.status == .refused || outcome.status == .failed else { return }
    await desk.inLine(or: ()) {
      if let waiting = hub.job(uuid), case .coming = waiting.phase { await desk.enqueue(waiting) }
    }
  }

  /// Puts a job into the queue, or takes it out of what waits for its start.
  ///
  /// - Returns: the job that is to be started, as it waited.
  private func queueOrTake(_ uuid: String, arrivedAt: MonotonicInstant) async -> CuraJob? {
    await learnEstimate(of: uuid)
    if !hub.isQueueSeen { await desk.refreshQueue() }
    guard let job = hub.job(uuid), case .coming = job.phase, job.path != nil else { return nil }
    let reason = reasonToWait(job, arrivedAt: arrivedAt)
    if reason == nil, hub.change({ $0.beginStart(uuid, at: context.time.now) }) { return job }
    hub.change { $0.update(uuid) { $0.notice = reason ?? "the printer is busy" } }
    if job.isGriffin, let reason { context.log(.warning, "\(job.name) waits: \(reason)") }
    await desk.enqueue(job)
    return nil
  }

  /// Why a job goes into the queue; nil: it is started.
  private func reasonToWait(_ job: CuraJob, arrivedAt: MonotonicInstant) -> String? {
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
      if !hub.isQueueSeen { return "it is not known what waits already" }
      if !hub.queue.isEmpty { return "others wait already" }
      if arrivedAt.duration(to: context.time.now) > Self.longestUpload {
        return "it took more than 30 minutes to arrive"
      }
      // The gate has the last word; asked beforehand, the job is not shown as being started meanwhile.
      let mayBeClear = context.isBedClear() || configuration.assumeClearAfter != nil
      return mayBeClear ? nil : "the bed is not known to be clear"
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
