internal import ConnectorKit
internal import JSON
internal import Platform

/// Does with jobs what Cura wants: everything passes the gate.
struct JobDesk: Sendable {
  /// What became of an action.
  struct Answer: Sendable, Hashable {
    var status: Int
    var message: String
    init(_ status: Int, _ message: String) {
      self.status = status
      self.message = message
    }
  }
  /// So long a request waits for the printer; then the action goes on without it.
  static let patience = Duration.seconds(2)

  let hub: CuraHub

  private var context: BackendContext { hub.context }

  // MARK: Actions

  /// `PUT …/action`.
  func act(_ action: String, on uuid: String) async -> Answer {
    guard let job = await settled(uuid) else { return Self.gone }
    switch (action, job.phase) {
    case ("pause", .running):
      guard hub.reading.state == "printing" else { return Answer(409, "It is not printing.") }
      return await move(job, .pausing, .pause)
    case ("print", .running):
      guard hub.reading.state == "paused" else { return Answer(409, "It is not paused.") }
      return await move(job, .resuming, .resume)
    case ("print", .queued): return await start(job, wireName: "action:print", .person)
    case ("abort", .running), ("abort", .starting): return await move(job, .aborting, .cancel)
    case ("abort", .queued): return await delete(job)
    case ("pause", _), ("print", _), ("abort", _):
      return Answer(409, "The job is in no state for that.")
    default: return Answer(400, "That is no action: it must be print, pause or abort.")
    }
  }

  /// `POST …/action/move`.
  func move(_ uuid: String, to position: Int) async -> Answer {
    guard let job = await settled(uuid) else { return Self.gone }
    guard case .queued(let ticket) = job.phase else {
      return Answer(409, "It is not in the queue.")
    }
    if position == 0 {
      if hub.queue.first?.uuid == uuid { return Answer(200, "It is there already.") }
      return await change(.first(ticket.jobID), wireName: "action/move")
    }
    // All of the queue is laid anew: what has come since we last looked must not be lost, nor what we do not see.
    guard await hub.work.result(within: Self.patience, of: { await refreshQueue() }) == true else {
      return Answer(409, "The queue cannot be put into another order now.")
    }
    let queue = hub.queue
    guard let from = queue.firstIndex(where: { $0.uuid == uuid }) else { return Self.gone }
    let to = min(position, queue.count - 1)
    if to == from { return Answer(200, "It is there already.") }
    var paths = queue.compactMap(\.path)
    guard paths.count == queue.count else { return Answer(409, "The queue has just changed.") }
    paths.insert(paths.remove(at: from), at: to)
    let order = queue.compactMap(\.uuid)
    return await change(.add(paths, isReset: true), wireName: "action/move") { book in
      // All get new places: each is found again by its file.
      for uuid in order { book.update(uuid) { $0.phase = .coming } }
    }
  }

  /// `PUT …/<uuid>` with `force`.
  func force(_ uuid: String) async -> Answer {
    guard let job = await settled(uuid) else { return Self.gone }
    guard job.isWaiting else { return Answer(200, "It is on already.") }
    guard case .queued = job.phase else { return Answer(409, "The job is in no state for that.") }
    hub.change { $0.update(uuid) { $0.isForced = true } }
    let reading = hub.reading
    guard reading.isReachable, !reading.isJobOn else {
      return Answer(200, "It is printed whatever is loaded, when its turn comes.")
    }
    return await start(job, wireName: "force", .person)
  }

  /// `DELETE …/<uuid>`.
  func delete(_ uuid: String) async -> Answer {
    guard let job = await settled(uuid) else { return Self.gone }
    switch job.phase {
    case .queued: return await delete(job)
    case .failed, .popped:
      hub.change { $0.remove(uuid) }
      return Answer(200, "Deleted.")
    case .starting: return Answer(409, "It is about to begin: abort it.")
    case .coming: return Answer(409, "It is still on its way to the printer.")
    case .running: return Answer(409, "It is being printed: abort it.")
    case .ended: return Answer(409, "It has ended.")
    }
  }

  private func delete(_ job: CuraJob) async -> Answer {
    guard case .queued(let ticket) = job.phase, let uuid = job.uuid else { return Self.gone }
    let answer = await change(.remove([ticket.jobID]), wireName: "delete") { $0.remove(uuid) }
    if answer.status == 200, hub.configuration.deletesFiles, !job.isForeign, let path = job.path {
      hub.work.add { [self] in
        let outcome = await submit(.deleteFile(path), wireName: "delete:file")
        if outcome.status != .done { log("\(path) was not deleted", outcome) }
      }
    }
    return answer
  }

  /// A job; one that is shown as waiting while it is still on its way into the queue is waited for a moment.
  private func settled(_ uuid: String) async -> CuraJob? {
    let deadline = context.time.now.advanced(by: Self.patience)
    let waiter = hub.changed.waiter(context.time)
    while let job = hub.job(uuid), case .coming = job.phase, context.time.now < deadline {
      guard (try? await waiter.wait(until: deadline)) != nil else { break }
    }
    return hub.job(uuid)
  }

  private static let gone = Answer(404, "There is no such job.")

  // MARK: Through the gate

  /// Has the running job paused, resumed or ended.
  private func move(
    _ job: CuraJob, _ word: CuraJob.Transition.Word, _ command: PrinterCommand
  ) async -> Answer {
    guard let uuid = job.uuid else { return Self.gone }
    hub.change { $0.begin(word, of: uuid, at: context.time.now) }
    return await answer {
      let outcome = await submit(command, wireName: "action:\(command.kind.rawValue)")
      if outcome.status == .refused || outcome.status == .failed {
        hub.change { $0.endTransition(of: uuid) }
      }
      return outcome
    }
  }

  /// Changes Moonraker's queue, and takes in how it is then.
  private func change(
    _ change: PrinterCommand.QueueChange, wireName: String,
    _ before: @escaping @Sendable (inout JobBook) -> Void = { _ in }
  ) async -> Answer {
    await answer {
      let outcome = await submit(.queue(change), wireName: wireName)
      guard outcome.status == .done else { return outcome }
      hub.change { before(&$0) }
      take(outcome.details)
      return outcome
    }
  }

  /// Starts a job that waits in the queue, and takes it out of there.
  func start(
    _ job: CuraJob, wireName: String, _ cause: PrinterCommand.StartCause,
    assumesClearAfter: Duration? = nil
  ) async -> Answer {
    guard case .queued(let ticket) = job.phase, let uuid = job.uuid, let path = job.path else {
      return Self.gone
    }
    let reading = hub.reading
    guard reading.isReachable else { return Answer(503, "The printer is not connected.") }
    guard !reading.isJobOn, hub.change({ $0.beginStart(uuid, at: context.time.now) }) else {
      return Answer(409, "The printer is busy.")
    }
    return await answer {
      let outcome = await begin(path, cause, wireName, assumesClearAfter)
      switch outcome.status {
      case .done:
        hub.change { $0.startTaken(uuid, at: context.time.now) }
        await clearSpent([ticket])
      case .refused, .failed:
        hub.change { $0.startFailed(uuid, back: .queued(ticket), outcome.message) }
        log("\(job.name) was not started", outcome)
        await refreshQueue()
      case .unknown: log("nobody knows whether \(job.name) was started", outcome)
      }
      return outcome
    }
  }

  /// Sends a start, once it is on the disk that this job's turn is over, should we not live to see more of it.
  func begin(
    _ path: GCodePath, _ cause: PrinterCommand.StartCause, _ wireName: String,
    _ assumesClearAfter: Duration?
  ) async -> CommandOutcome {
    guard await hub.keeper.flush() else {
      return CommandOutcome(
        .refused, .journal, "it cannot be noted that the job begins: the disk takes nothing")
    }
    let outcome = await submit(
      .start(path, cause), wireName: wireName, assumesClearAfter: assumesClearAfter)
    guard outcome.status == .failed else { return outcome }
    // A macro around the start may fail behind it: then it prints all the same.
    let deadline = context.time.now.advanced(by: .seconds(1))
    let waiter = hub.changed.waiter(context.time)
    while context.time.now < deadline {
      let reading = hub.reading
      if reading.isJobOn, reading.filename == path.text { return .done() }
      guard (try? await waiter.wait(until: deadline)) != nil else { break }
    }
    return outcome
  }

  /// Has something done, and makes an answer of how it ended, or of the fact that it goes on.
  private func answer(_ work: @escaping @Sendable () async -> CommandOutcome) async -> Answer {
    guard let outcome = await hub.work.result(within: Self.patience, of: work) else {
      return Answer(202, "It takes its time.")
    }
    return Self.answer(outcome)
  }

  /// What an outcome is to Cura.
  static func answer(_ outcome: CommandOutcome) -> Answer {
    switch outcome.reason {
    case .ok: Answer(200, "Done.")
    case .notPermitted, .readOnly: Answer(403, outcome.message)
    case .wrongState, .busy, .bedOccupied, .stale, .notOwn, .superseded:
      Answer(409, outcome.message)
    case .invalid: Answer(400, outcome.message)
    case .tooMany, .journal, .notConnected, .printerRefused, .transfer, .timeout, .interrupted:
      outcome.status == .unknown
        ? Answer(202, outcome.message) : Answer(503, outcome.message)
    }
  }

  /// Has a command executed. What a Cura sends is as old as its request: not at all.
  func submit(
    _ command: PrinterCommand, wireName: String, assumesClearAfter: Duration? = nil,
    work: CommandWork? = nil
  ) async -> CommandOutcome {
    var request = CommandRequest(
      id: GUIDText.random(), wireName: wireName, command: command, age: .zero)
    request.assumesClearAfter = assumesClearAfter
    return await context.commands.submit(
      request, in: context.commands.contact(), work: work, owing: { _ in nil })
  }

  // MARK: The queue

  /// Asks Moonraker for its queue.
  ///
  /// - Returns: whether all of it is known now.
  @discardableResult func refreshQueue(isFirst: Bool = false) async -> Bool {
    guard let request = MoonrakerRequest(parts: ["server", "job_queue", "status"], method: .get)
    else { return false }
    return take(await submit(.query(request), wireName: "queue").details, isFirst: isFirst)
  }

  @discardableResult private func take(_ answer: JSONValue?, isFirst: Bool = false) -> Bool {
    guard let queue = QueueStatus(answer) else { return false }
    hub.change {
      $0.takeQueue(
        queue.entries, isWhole: queue.isWhole, isFirst: isFirst, at: context.time.now,
        wallTime: context.time.wallTime)
    }
    return queue.isWhole
  }

  /// Takes jobs out of the queue that were started: who starts what waits would print them again.
  func clearSpent(_ tickets: [QueueTicket]) async {
    guard !tickets.isEmpty else { return }
    let outcome = await submit(
      .queue(.remove(tickets.map(\.jobID))), wireName: "started:queue")
    if outcome.status == .done {
      take(outcome.details)
    } else {
      log("a job that was started stays in the queue as well", outcome)
    }
  }

  /// Puts a job at the end of Moonraker's queue.
  func enqueue(_ job: CuraJob) async {
    guard let uuid = job.uuid, let path = job.path else { return }
    let outcome = await submit(.queue(.add([path], isReset: false)), wireName: "print_jobs:queue")
    guard outcome.status == .done else {
      log("\(job.name) could not be queued", outcome)
      hub.change { $0.fail(uuid, "it could not be queued: \(outcome.message)") }
      return
    }
    take(outcome.details)
    // Whose answer does not tell is asked.
    if case .coming = hub.job(uuid)?.phase { await refreshQueue() }
  }

  func log(_ what: String, _ outcome: CommandOutcome) {
    context.log(.warning, "\(what): \(outcome.message)")
  }
}
