internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform
internal import SocketIO

// What the cloud wants of the printer, and what becomes of its jobs.

extension PolarSession {
  mutating func obey(
    _ event: CloudEvent, _ contact: CommandContact, _ now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    switch event {
    case .print(let order): take(order, contact, now, &actions)
    case .pause(let id): order(.pause, id, contact, &actions)
    case .resume(let id): order(.resume, id, contact, &actions)
    case .cancel(let id): cancel(id, contact, now, &actions)
    case .temperature(let orders):
      if orders.isEmpty { log("a temperature event names no heater", "temperature", &actions) }
      if !orders.isEmpty { actions.append(.command(.temperature(orders), contact)) }
    case .gcode(let text):
      if rules.allowsGcode {
        actions.append(.command(.gcode(text), contact))
      } else {
        log("G-code typed in the cloud is not run: allow_gcode is off", "gcode", &actions)
      }
    case .delete: deleted(&actions)
    case .form(let answer):
      if let line = images.take(answer, now, random: rules.random()) {
        log(line, "form", &actions)
      }
    default: break
    }
  }

  // MARK: A job comes

  private mutating func take(
    _ order: PrintOrder, _ contact: CommandContact, _ now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    let id = order.jobID
    if !id.isEmpty, tracker.job?.id == id || reported.contains(id) {
      log("job \(id) came again and is not begun again", "again", &actions)
      return
    }
    if let failure = refusal(of: order) {
      refuse(order, failure, contact, &actions)
      return
    }
    guard let path = JobFileName.path(id: id, name: order.name) else {
      refuse(order, CommandFailure(.invalid, "no file can have its name"), contact, &actions)
      return
    }
    let job = CloudJob(
      id: id, path: path.text, stlFile: order.stlFile, configFile: order.configFile,
      phase: .preparing)
    tracker.begin(job)
    lateCancel = nil
    lookedBackFor = nil
    actions.append(.log(.info, "job \(id): fetching its file"))
    actions.append(.print(order, job, contact))
  }

  private func refusal(of order: PrintOrder) -> CommandFailure? {
    if let defect = order.defect { return CommandFailure(.invalid, defect) }
    if let other = tracker.job {
      return CommandFailure(.busy, "job \(other.id) of the Polar Cloud is on already")
    }
    guard reading.standing == .ready, reading.isKnown else {
      return CommandFailure(.notConnected, "Klipper is not ready")
    }
    if reading.isJobOn { return CommandFailure(.wrongState, "the printer prints already") }
    return nil
  }

  private mutating func refuse(
    _ order: PrintOrder, _ failure: CommandFailure, _ contact: CommandContact,
    _ actions: inout [Action]
  ) {
    guard unkept.count < Self.mostUnkept else {
      log("jobs come faster than they can be refused", "flood", &actions)
      return
    }
    let name = order.jobID.isEmpty ? "a job" : "job \(order.jobID)"
    log("\(name) is not printed: \(failure.message)", "refused \(failure.reason)", &actions)
    guard !order.jobID.isEmpty else {
      actions.append(.refuse(order, failure, contact, nil))
      return
    }
    // The gate's journal knows it again; the list of reported jobs is short, and for jobs that were begun.
    unkept.insert(order.jobID)
    actions.append(.refuse(order, failure, contact, JobEnd(order.jobID, .canceled)))
  }

  // MARK: A job is cancelled

  private mutating func cancel(
    _ id: String?, _ contact: CommandContact, _ now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    if let id, id != tracker.job?.id {
      log("a cancel is for job \(id.logged), which is not on", "cancel", &actions)
      return
    }
    guard tracker.job != nil || reading.isJobOn else { return }
    // Klipper may take minutes to get to it: one command is never sent twice.
    guard !tracker.isCancelling else { return }
    guard let job = tracker.job else {
      tracker.isCancelling = true
      actions.append(.command(.cancel, contact))
      return
    }
    if job.phase == .preparing {
      // The printer knows nothing of it: what it does meanwhile is none of the cloud's.
      tracker.isCancelling = true
      lateCancel = contact
      actions.append(.abortDownload)
      return
    }
    if isElsewhere(job) {
      let former = tracker.job
      if let end = tracker.withdrawn(now) { finish(end, former, now, &actions) }
      return
    }
    if job.phase == .started { lateCancel = contact }
    tracker.isCancelling = true
    actions.append(.command(.cancel, contact))
  }

  /// Pauses or resumes; where it names a job, only if that is what the printer has.
  private mutating func order(
    _ command: PolarCommand, _ id: String?, _ contact: CommandContact,
    _ actions: inout [Action]
  ) {
    if let id {
      guard let job = tracker.job, job.id == id, !isElsewhere(job) else {
        log("a \(command.name) is for job \(id.logged), which is not on", command.name, &actions)
        return
      }
    }
    actions.append(.command(command, contact))
  }

  /// Whether the printer has another job than this one, which is none of the cloud's.
  private func isElsewhere(_ job: CloudJob) -> Bool {
    reading.isJobOn && reading.filename != job.path
  }

  mutating func cancelEnded(
    _ outcome: CommandOutcome, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    switch outcome.status {
    case .done where tracker.job != nil: tracker.cancelDone(now)
    // Who still wants it may say so once more.
    case .done, .unknown, .failed, .refused: tracker.isCancelling = false
    }
  }

  // MARK: A job ends

  mutating func printEnded(
    _ id: String, _ outcome: CommandOutcome, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard tracker.job?.id == id else { return }
    guard !outcome.isRepeat else {
      // It had its end before, which was reported then.
      log("job \(id) came again and is not begun again", "again", &actions)
      tracker = JobTracker(nil, now: now)
      lateCancel = nil
      actions.append(.store(.reported(id)))
      return
    }
    switch outcome.status {
    case .done, .unknown:
      tracker.started(now, isCertain: outcome.status == .done)
      // It was cancelled too late for its start to be taken back: as soon as it shows, it is ended.
      if lateCancel != nil { tracker.isCancelling = false }
      if let job = tracker.job { actions.append(.store(.job(job))) }
      actions.append(.tidy)
      actions.append(.log(.info, "job \(id): started"))
    case .failed, .refused:
      actions.append(.log(.warning, "job \(id) is not printed: \(outcome.message)"))
      let former = tracker.job
      if let end = tracker.failed(now) { finish(end, former, now, &actions) }
    }
  }

  /// Looks at the printer for the end of the job.
  mutating func watchJob(_ now: MonotonicInstant, _ actions: inout [Action]) {
    let former = tracker.job
    if !hasTakenOver {
      hasTakenOver = true
      // The program ended while its file was being fetched: nothing was started.
      if former?.phase == .preparing, let end = tracker.failed(now) {
        finish(end, former, now, &actions)
      }
    }
    lookAround(&actions)
    if let end = tracker.observe(reading, now) { finish(end, former, now, &actions) }
    guard let job = tracker.job else { return }
    if job.phase == .running, let contact = lateCancel, !tracker.isCancelling {
      lateCancel = nil
      tracker.isCancelling = true
      actions.append(.command(.cancel, contact))
    }
    if !tracker.isMissing {
      lookedBackFor = nil
    } else if lookedBackFor != job.id {
      lookedBackFor = job.id
      actions.append(.lookBack(job))
    }
  }

  /// A job of the cloud that nobody here has noted, since the original began it or the state was lost, is known by the name
  /// of its file. Only where nothing was ever reported: else it is the owner who prints the file once more.
  private mutating func lookAround(_ actions: inout [Action]) {
    guard !hasLookedAround, reading.isKnown else { return }
    hasLookedAround = true
    guard serialNumber != nil, tracker.job == nil, reported.isEmpty, reading.isJobOn,
      let id = JobFileName.id(in: reading.filename)
    else { return }
    let job = CloudJob(id: id, path: reading.filename, phase: .running)
    tracker.begin(job)
    actions.append(.store(.job(job)))
    actions.append(.log(.info, "job \(id): is being printed already"))
  }

  /// Moonraker's history has said how a job ended that is out of sight.
  mutating func remembered(
    _ id: String, _ past: PastJob?, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard let former = tracker.job, former.id == id else { return }
    if let end = tracker.remembered(past, now) { finish(end, former, now, &actions) }
  }

  /// A job has ended: the cloud is told, once.
  mutating func finish(
    _ end: JobEnd, _ former: CloudJob?, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    if case .online = phase, end.state == .completed, let former {
      let status = StatusReport(
        reading, code: .postprocessing, job: former, serialNumber: serialNumber ?? "",
        startedAt: nil)
      send(status, now, &actions)
    }
    lateCancel = nil
    actions.append(.log(.info, "job \(end.jobID): \(end.state.rawValue)"))
    owe(end, &actions)
  }

  private mutating func owe(_ end: JobEnd, _ actions: inout [Action]) {
    reported.append(end.jobID)
    reported.removeFirst(max(0, reported.count - PolarRecord.mostReported))
    unkept.insert(end.jobID)
    actions.append(.owe(end))
  }

  // MARK: Its report

  /// The oldest end that is owed.
  mutating func take(_ end: OwedEnd, _ actions: inout [Action]) {
    owed = end
    delivery = .due
    guard tracker.job?.id == end.jobID else { return }
    // Ended before this program did, which had no time to note it.
    tracker = JobTracker(nil, now: MonotonicInstant(sinceOrigin: .zero))
    actions.append(.store(.reported(end.jobID)))
  }

  /// Sends the end that is owed, where it is on the disk and the cloud knows us.
  mutating func deliver(_ now: MonotonicInstant, _ actions: inout [Action]) {
    guard let owed, delivery == .due, !isEnding, !unkept.contains(owed.jobID), let serialNumber
    else { return }
    guard owed.body["serialNumber"]?.string.map({ $0 == serialNumber }) ?? true else {
      settle(.reject("it belongs to another registration of this printer"), &actions)
      return
    }
    var body: JSONObject = ["serialNumber": .string(serialNumber)]
    for (key, value) in owed.body { body[key] = value }
    delivery = .given
    actions.append(.emit("job", body))
  }

  /// The cloud's WebSocket has answered behind a report, or the cloud shows by going on that it has read it.
  mutating func settleByWord(_ actions: inout [Action]) {
    switch delivery {
    case .given, .sent, .unanswered: settle(.accept, &actions)
    case .due, .settling: break
    }
  }

  /// A connection that the other side ended had taken what had gone out before; one that fell silent may not have: then it
  /// is sent again, as what never left, since a report that is lost would leave the job open for ever.
  mutating func settleByEnd(_ closure: SocketIOClosure, _ actions: inout [Action]) {
    switch delivery {
    case .due, .settling: return
    case .given, .unanswered: delivery = .due
    case .sent:
      switch closure.reason {
      case .silent, .network(.timeout): delivery = .due
      default: settle(.accept, &actions)
      }
    }
  }

  private mutating func settle(_ verdict: OutboxVerdict, _ actions: inout [Action]) {
    delivery = .settling
    actions.append(.settle(verdict))
  }

  // MARK: G-code

  /// The cloud hears what became of the G-code that somebody typed.
  mutating func answer(_ text: String, _ actions: inout [Action]) {
    guard case .online = phase, let serialNumber else { return }
    actions.append(
      .emit(
        "commandResponse",
        ["serialNumber": .string(serialNumber), "response": .string(String(text.prefix(4_096)))]))
  }

  // MARK: Pictures

  mutating func uploaded(
    _ kind: ImageDesk.Kind, _ result: ImageDesk.Result, _ now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    images.ended(result, kind, now, random: rules.random())
    switch result {
    case .done: occurrences.reset("picture")
    case .noCamera, .formRefused: break
    case .failed(let problem): log("picture: \(problem)", "picture", &actions)
    }
  }
}
