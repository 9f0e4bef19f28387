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
  /// When the request came of which this is; nil: what we do by ourselves is as old as its moment.
  var arrivedAt: MonotonicInstant?

  private var context: BackendContext { hub.context }

  // MARK: Actions

  /// `PUT …/action`.
  func act(_ action: String, on uuid: String) async -> Answer {
    let begin = context.time.now
    guard let job = await settled(uuid, since: begin) else { return Self.gone }
    switch (action, job.phase) {
    case ("pause", .running):
      guard hub.reading.state == "printing" else { return Answer(409, "It is not printing.") }
      return await move(job, .pausing, .pause, since: begin)
    case ("print", .running):
      guard hub.reading.state == "paused" else { return Answer(409, "It is not paused.") }
      return await move(job, .resuming, .resume, since: begin)
    case ("print", .queued):
      return await start(uuid, wireName: "action:print", .person, since: begin)
    case ("abort", .running), ("abort", .starting):
      return await move(job, .aborting, .cancel, since: begin)
    case ("abort", .queued): return await takeOut(uuid, since: begin)
    case ("pause", _), ("print", _), ("abort", _):
      return Answer(409, "The job is in no state for that.")
    default: return Answer(400, "That is no action: it must be print, pause or abort.")
    }
  }

  /// `POST …/action/move`.
  func move(_ uuid: String, to position: Int) async -> Answer {
    let begin = context.time.now
    guard await settled(uuid, since: begin) != nil else { return Self.gone }
    return await answer(since: begin) {
      await inLine(or: Self.tooMuch) { await place(uuid, at: position) }
    }
  }

  private func place(_ uuid: String, at position: Int) async -> Answer {
    guard let job = hub.job(uuid) else { return Self.gone }
    guard case .queued(let ticket) = job.phase else {
      return Answer(409, "It is not in the queue.")
    }
    if position == 0 {
      if hub.queue.first?.uuid == uuid { return Answer(200, "It is there already.") }
      return await change(.first(ticket.jobID), wireName: "action/move")
    }
    // All of the queue is laid anew: what has come since we last looked must not be lost, nor what we do not see, nor what
    // is just being started and may come back.
    guard await refreshQueue(), !hub.isStarting else {
      return Answer(409, "The queue cannot be put into another order now.")
    }
    if let reason = await reasonNotToAdd() { return Answer(409, reason) }
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
      for uuid in order {
        book.update(uuid) { job in if case .queued = job.phase { job.phase = .coming } }
      }
    }
  }

  /// `PUT …/<uuid>` with `force`.
  func force(_ uuid: String) async -> Answer {
    let begin = context.time.now
    guard let job = await settled(uuid, since: begin) else { return Self.gone }
    guard job.isWaiting else { return Answer(200, "It is on already.") }
    guard case .queued = job.phase else { return Answer(409, "The job is in no state for that.") }
    hub.change { $0.update(uuid) { $0.isForced = true } }
    let reading = hub.reading
    guard reading.isReachable, !reading.isJobOn else {
      return Answer(200, "It is printed whatever is loaded, when its turn comes.")
    }
    return await start(uuid, wireName: "force", .person, since: begin)
  }

  /// `DELETE …/<uuid>`.
  func delete(_ uuid: String) async -> Answer {
    let begin = context.time.now
    guard let job = await settled(uuid, since: begin) else { return Self.gone }
    guard case .queued = job.phase else { return remove(job, uuid) }
    return await takeOut(uuid, since: begin)
  }

  /// Deletes a job that is not in the queue, where that can be.
  private func remove(_ job: CuraJob, _ uuid: String) -> Answer {
    switch job.phase {
    case .failed, .popped:
      hub.change { $0.remove(uuid) }
      return Answer(200, "Deleted.")
    case .queued: return Answer(409, "It is in the queue.")
    case .starting: return Answer(409, "It is about to begin: abort it.")
    case .coming: return Answer(409, "It is still on its way to the printer.")
    case .running: return Answer(409, "It is being printed: abort it.")
    case .ended: return Answer(409, "It has ended.")
    }
  }

  /// Takes a job out of the queue, beside no start of it.
  private func takeOut(_ uuid: String, since begin: MonotonicInstant) async -> Answer {
    await answer(since: begin) {
      await inLine(or: Self.tooMuch) {
        // Moonraker's ids are given again: what is deleted must stand there now.
        guard let queue = await askQueue() else { return Answer(503, "The queue is not known.") }
        guard let job = hub.job(uuid) else { return Self.gone }
        guard case .queued(let ticket) = job.phase else { return remove(job, uuid) }
        guard queue.holds(ticket) else { return Answer(409, "The queue has just changed.") }
        let answer = await change(.remove([ticket.jobID]), wireName: "delete") { $0.remove(uuid) }
        if answer.status == 200 { deleteFile(of: job) }
        return answer
      }
    }
  }

  private func deleteFile(of job: CuraJob) {
    guard hub.configuration.deletesFiles, !job.isForeign, let path = job.path else { return }
    hub.work.add { [self] in
      let outcome = await submit(.deleteFile(path), wireName: "delete:file")
      if outcome.status != .done { log("\(path) was not deleted", outcome) }
    }
  }

  /// A job; one that is shown as waiting while it is still on its way into the queue is waited for a moment.
  private func settled(_ uuid: String, since begin: MonotonicInstant) async -> CuraJob? {
    let deadline = begin.advanced(by: Self.patience)
    let waiter = hub.changed.waiter(context.time)
    while let job = hub.job(uuid), case .coming = job.phase, context.time.now < deadline {
      guard (try? await waiter.wait(until: deadline)) != nil else { break }
    }
    return hub.job(uuid)
  }

  private static let gone = Answer(404, "There is no such job.")
  private static let tooMuch = Answer(503, "Too much at once.")

  // MARK: Through the gate

  /// Has the running job paused, resumed or ended.
  private func move(
    _ job: CuraJob, _ word: CuraJob.Transition.Word, _ command: PrinterCommand,
    since begin: MonotonicInstant
  ) async -> Answer {
    guard let uuid = job.uuid else { return Self.gone }
    hub.change { $0.begin(word, of: uuid, at: context.time.now) }
    return await answer(since: begin) {
      let outcome = await submit(command, wireName: "action:\(command.kind.rawValue)")
      if outcome.status == .refused || outcome.status == .failed {
        hub.change { $0.endTransition(of: uuid) }
      }
      return Self.answer(outcome)
    }
  }

  /// Changes Moonraker's queue, and takes in how it is then.
  private func change(
    _ change: PrinterCommand.QueueChange, wireName: String,
    _ before: @escaping @Sendable (inout JobBook) -> Void = { _ in }
  ) async -> Answer {
    let outcome = await submit(.queue(change), wireName: wireName)
    if outcome.status == .done {
      hub.change { before(&$0) }
      take(outcome.details)
    }
    return Self.answer(outcome)
  }

  /// Starts a job that waits in the queue, and takes it out of there.
  ///
  /// - Parameter begin: since when somebody waits for the answer.
  func start(
    _ uuid: String, wireName: String, _ cause: PrinterCommand.StartCause,
    assumesClearAfter: Duration? = nil, since begin: MonotonicInstant
  ) async -> Answer {
    guard hub.reading.isReachable else { return Answer(503, "The printer is not connected.") }
    guard hub.isQueueSeen else { return Answer(503, "The printer's queue is not known yet.") }
    return await answer(since: begin) {
      // The queue is not laid anew, nor the job taken out of it, between the look and the start.
      let (refusal, waiting) = await inLine(or: (Self.tooMuch, nil)) { takeForStart(uuid) }
      guard let job = waiting, case .queued(let ticket) = job.phase else { return refusal }
      let outcome = await send(
        job, wireName: wireName, cause, assumesClearAfter: assumesClearAfter)
      switch outcome.status {
      case .done: await clearSpent([ticket])
      case .refused, .failed: await refreshQueue()
      case .unknown: break
      }
      return Self.answer(outcome)
    }
  }

  /// Takes a job out of what waits, for its start.
  ///
  /// - Returns: the job as it waited; nil with why it cannot start.
  private func takeForStart(_ uuid: String) -> (Answer, CuraJob?) {
    guard let job = hub.job(uuid) else { return (Self.gone, nil) }
    guard case .queued = job.phase, job.path != nil else {
      return (Answer(409, "The job is in no state for that."), nil)
    }
    guard !hub.reading.isJobOn, hub.change({ $0.beginStart(uuid, at: context.time.now) }) else {
      return (Answer(409, "The printer is busy."), nil)
    }
    return (Answer(200, "Done."), job)
  }

  /// Sends the start of a job that ``JobBook/beginStart(_:at:)`` has taken out of what waits. Where it does not begin, it is
  /// there again.
  ///
  /// - Parameter job: as it waited.
  func send(
    _ job: CuraJob, wireName: String, _ cause: PrinterCommand.StartCause,
    assumesClearAfter: Duration?
  ) async -> CommandOutcome {
    guard let uuid = job.uuid, let path = job.path else {
      return CommandOutcome(.refused, .invalid, "the job has no file")
    }
    var outcome: CommandOutcome
    // Should we not live to see its end, it is known that this job's turn is over.
    if await hub.keeper.flush() {
      outcome = await submit(
        .start(path, cause), wireName: wireName, assumesClearAfter: assumesClearAfter)
    } else {
      outcome = CommandOutcome(
        .refused, .journal, "its start cannot be noted, as the disk does not take it")
    }
    // A macro around the start may fail when Klipper prints already.
    if outcome.status == .failed, await hasBegun(uuid) {
      log("\(job.name) has begun, although Klipper says", outcome)
      outcome = .done()
    }
    switch outcome.status {
    case .done: hub.change { $0.sent(uuid, isTaken: true, at: context.time.now) }
    case .refused, .failed:
      hub.change { $0.startFailed(uuid, back: job.phase, outcome.message) }
      log("\(job.name) was not started", outcome)
    case .unknown:
      hub.change { $0.sent(uuid, isTaken: false, at: context.time.now) }
      log("nobody knows whether \(job.name) was started", outcome)
    }
    return outcome
  }

  /// Whether a job whose start has failed is printed all the same; the printer is given a moment to say so.
  private func hasBegun(_ uuid: String) async -> Bool {
    let deadline = context.time.now.advanced(by: .seconds(1))
    let waiter = hub.changed.waiter(context.time)
    while case .starting = hub.job(uuid)?.phase, context.time.now < deadline {
      guard (try? await waiter.wait(until: deadline)) != nil else { break }
    }
    switch hub.job(uuid)?.phase {
    case .running, .ended: return true
    default: return false
    }
  }

  /// Does something with the queue's order while nobody else does.
  ///
  /// - Parameter refusal: what it yields where too many want that.
  func inLine<Result>(or refusal: Result, _ work: () async -> Result) async -> Result {
    guard await hub.line.take() else { return refusal }
    defer { hub.line.leave() }
    return await work()
  }

  /// Has something done, and answers how it ended, or that it goes on.
  private func answer(
    since begin: MonotonicInstant, _ work: @escaping @Sendable () async -> Answer
  ) async -> Answer {
    let left = max(.zero, Self.patience - begin.duration(to: context.time.now))
    return await hub.work.result(within: left, of: work) ?? Answer(202, "It takes its time.")
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

  /// Has a command executed. What a Cura sends is as old as its request's header.
  func submit(
    _ command: PrinterCommand, wireName: String, assumesClearAfter: Duration? = nil,
    work: CommandWork? = nil
  ) async -> CommandOutcome {
    let age = arrivedAt.map { $0.duration(to: context.time.now) } ?? .zero
    var request = CommandRequest(
      id: GUIDText.random(), wireName: wireName, command: command, age: age)
    request.assumesClearAfter = assumesClearAfter
    return await context.commands.submit(
      request, in: context.commands.contact(), work: work, owing: { _ in nil })
  }

  // MARK: The queue

  /// Asks Moonraker for its queue.
  ///
  /// - Returns: whether all of it is known now.
  @discardableResult func refreshQueue() async -> Bool { take(await queueAnswer()) }

  /// Asks Moonraker for its queue, and takes it in; nil where Moonraker does not tell.
  private func askQueue() async -> QueueStatus? {
    let answer = await queueAnswer()
    take(answer)
    return QueueStatus(answer)
  }

  private func queueAnswer() async -> JSONValue? {
    guard let request = MoonrakerRequest(parts: ["server", "job_queue", "status"], method: .get)
    else { return nil }
    return await submit(.query(request), wireName: "queue").details
  }

  @discardableResult private func take(_ answer: JSONValue?) -> Bool {
    guard let queue = QueueStatus(answer) else { return false }
    return hub.change {
      $0.takeQueue(
        queue.entries, unnamed: queue.unnamed, at: context.time.now,
        wallTime: context.time.wallTime)
    }
  }

  /// Takes jobs out of the queue that were started: who starts what waits would print them again.
  func clearSpent(_ tickets: [QueueTicket]) async {
    guard !tickets.isEmpty else { return }
    // Moonraker's ids are given again: only what stands there now with its time is the job that was started.
    let queue = await askQueue()
    let present = tickets.filter { queue?.holds($0) ?? false }
    guard !present.isEmpty else { return }
    let outcome = await submit(
      .queue(.remove(present.map(\.jobID))), wireName: "started:queue")
    if outcome.status == .done {
      take(outcome.details)
    } else {
      log("a job that was started stays in the queue as well", outcome)
    }
  }

  /// Why nothing may be put into the queue: Moonraker would start it by itself, whatever lies on the bed.
  private func reasonNotToAdd() async -> String? {
    do throws(CommandFailure) {
      let options = try await context.queueTransition().options
      return options.isEmpty
        ? nil
        : "it would have to wait, and Moonraker starts what waits by itself (\(options.joined(separator: ", ")) in [job_queue])"
    } catch {
      return "it is not known whether Moonraker starts what waits by itself: \(error.message)"
    }
  }

  /// Puts a job at the end of Moonraker's queue.
  func enqueue(_ job: CuraJob) async {
    guard let uuid = job.uuid, let path = job.path else { return }
    if let reason = await reasonNotToAdd() {
      context.log(.warning, "\(job.name) was not queued: \(reason)")
      return hub.change { $0.fail(uuid, "\(reason); it is among the printer's files") }
    }
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
