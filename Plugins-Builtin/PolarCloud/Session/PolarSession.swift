internal import ConnectorKit
internal import JSON
internal import Platform
internal import SocketIO

/// What goes to the Polar Cloud when, and what its words mean: over all connections of a run. Events in, actions out: no
/// clock, no I/O.
///
/// A connection either registers or greets, never both; nothing else is said before the cloud has accepted the greeting.
struct PolarSession {
  /// So long the challenge, an answer to `register` or one to `hello` may take.
  static let patience = Duration.seconds(30)
  /// After a registration the next connection is made so much later.
  static let afterRegistration = Duration.seconds(1)
  /// So long the answer to `unregister` may take.
  static let unregisterPatience = Duration.seconds(10)
  /// A server hangs up on whoever leaves its pings without an answer: who still talks so long after has read what went out
  /// before the answers.
  static let hearsay = Duration.seconds(60)
  /// More ends that are not on the disk yet are a flood: further jobs are not even refused.
  static let mostUnkept = 8
  /// After refusals: a minute, then longer, up to a quarter of an hour.
  static let slow = ExponentialBackoff.Policy(
    first: .seconds(60), cap: .seconds(800), factors: 1...1.1)

  let rules: Rules
  var phase: Phase
  var serialNumber: String?
  var tracker: JobTracker
  var reading: PolarReading
  var schedule: StatusSchedule
  var images: ImageDesk
  var reconnect = ReconnectSchedule()
  var refusals = ExponentialBackoff(slow)
  /// Ids of jobs that have ended.
  var reported: [String]
  /// Ends that are not on the disk yet.
  var unkept: Set<String> = []
  var owed: OwedEnd?
  var delivery = Delivery.due
  /// Whether this run is about to end: nothing new is reported.
  var isEnding = false
  /// Whether another end follows the one that was settled last.
  var owesMore = false
  /// Whether the connection that is left has ended.
  var hasClosed = false
  var lastError: String?
  /// When the present job at the printer began.
  var jobStart: (key: String, at: WallTime)?
  var hasRenewedKey = false
  var saidVersion = false
  /// Whether the job that was on when this program ended has been looked at.
  var hasTakenOver = false
  /// Whether the printer has been looked at for a job that nobody has noted.
  var hasLookedAround = false
  /// The job that Moonraker's history is asked about.
  var lookedBackFor: String?
  /// A cancel that came before the job was at the printer: sent when it shows there after all.
  var lateCancel: CommandContact?
  /// When the cloud was last heard on this connection, pings included.
  var lastHeard: MonotonicInstant?
  var health: BackendHealth?
  var occurrences = OccurrenceThrottle<String>()

  /// A session of a printer with this record.
  init(
    _ record: PolarRecord, rules: Rules, images: ImageDesk, reading: PolarReading,
    now: MonotonicInstant
  ) {
    self.rules = rules
    self.images = images
    self.reading = reading
    phase = .waiting(until: now)
    serialNumber = record.serialNumber
    let job = record.job.flatMap { record.reported.contains($0.id) ? nil : $0 }
    tracker = JobTracker(job, now: now)
    schedule = StatusSchedule(interval: rules.statusInterval)
    reported = record.reported
    lastError = record.lastError
  }

  /// Takes an event, with what the printer reads by now.
  ///
  /// - Parameters:
  ///   - contact: the contact in which it came, where it came from the cloud.
  ///   - heard: when the cloud was last heard on this connection.
  /// - Returns: what is to be done, in order.
  mutating func handle(
    _ event: Event, reading: PolarReading, contact: CommandContact? = nil,
    heard: MonotonicInstant? = nil, now: MonotonicInstant
  ) -> [Action] {
    var actions: [Action] = []
    lastHeard = heard
    self.reading = reading
    noteJobStart()
    switch event {
    case .tick: break
    case .opened: opened(now, &actions)
    case .ended(let closure): ended(closure, now, &actions)
    case .received(let event): received(event, contact, now, &actions)
    case .stored(let change): stored(change, now, &actions)
    case .notStored(let change, let reason): notStored(change, reason, now, &actions)
    case .reportKept(let id): unkept.remove(id)
    case .job(let event, let filename):
      let former = tracker.job
      if let end = tracker.ended(event, filename: filename, reading, now) {
        finish(end, former, now, &actions)
      }
    case .printEnded(let id, let outcome): printEnded(id, outcome, now, &actions)
    case .cancelEnded(let outcome): cancelEnded(outcome, now, &actions)
    case .history(let id, let past): remembered(id, past, now, &actions)
    case .uploaded(let kind, let result): uploaded(kind, result, now, &actions)
    case .owed(let end): take(end, &actions)
    case .reportSent(let id): if owed?.jobID == id, delivery == .given { delivery = .sent }
    case .reportTaken(let id): if owed?.jobID == id { settleByWord(&actions) }
    case .reportUnanswered(let id):
      if owed?.jobID == id, delivery == .sent { delivery = .unanswered(since: now) }
    case .settled(let isLast):
      owed = nil
      delivery = .due
      owesMore = !isLast
      if phase == .leaving(.finish), hasClosed { actions.append(.finish) }
    case .unregister: unregister(now, &actions)
    case .gcodeEnded(let text): answer(text, &actions)
    }
    watchJob(now, &actions)
    advance(now, &actions)
    return actions
  }

  /// When something is due next, if nothing happens before; nil: only an answer is awaited.
  func nextDue(_ now: MonotonicInstant) -> MonotonicInstant? {
    var due: [MonotonicInstant] = []
    switch phase {
    case .waiting(let until): due.append(until)
    case .welcoming(let since), .registering(let since), .greeting(let since):
      due.append(since.advanced(by: Self.patience))
    case .keeping(_, let retryAt): if let retryAt { due.append(retryAt) }
    case .unregistering(let since): due.append(since.advanced(by: Self.unregisterPatience))
    case .online(let since):
      let status = report()
      due.append(max(schedule.due(status, now), now))
      if let look = schedule.nextLook(now) { due.append(look) }
      if rules.isOnce { due.append(since.advanced(by: Self.patience)) }
      if let image = images.nextDue(imageKind, now) { due.append(image) }
    case .connecting, .leaving: break
    }
    if let job = tracker.nextDue(isKnown: reading.isKnown) { due.append(job) }
    // What was due and is still there would be due again at once, for ever.
    return due.filter { $0 < .never }.min().map { $0 > now ? $0 : now.advanced(by: .seconds(1)) }
  }

  /// Whether a report is on its way of which the cloud's answer may come any moment.
  var isReporting: Bool { [.given, .sent, .settling].contains(delivery) }

  // MARK: What is due

  private mutating func advance(_ now: MonotonicInstant, _ actions: inout [Action]) {
    switch phase {
    case .waiting(let until) where until <= now: connect(now, &actions)
    case .welcoming(let since), .greeting(let since):
      guard since.advanced(by: Self.patience) <= now else { break }
      let problem = "\(rules.host) does not finish the handshake within 30 s"
      fail(problem, "silence", now, &actions)
      // No refusal: it is as if the connection had broken.
      let wait = reconnect.wait(
        after: SocketIOClosure(.handshakeTimeout, problem), served: nil, at: rules.wallTime(),
        random: rules.random())
      close(.comeBack(after: wait), &actions)
    case .registering(let since):
      guard since.advanced(by: Self.patience) <= now else { break }
      fail("\(rules.host) does not answer the registration within 30 s", "silence", now, &actions)
      close(.comeBack(after: refusals.failed(random: rules.random())), &actions)
    case .keeping(let serial, let retryAt?) where retryAt <= now:
      phase = .keeping(serialNumber: serial, retryAt: nil)
      actions.append(.store(.registered(serialNumber: serial, as: rules.username)))
    case .unregistering(let since):
      guard since.advanced(by: Self.unregisterPatience) <= now else { break }
      givenBack("\(rules.host) has not confirmed it within 10 s", &actions)
    case .online(let since): serve(since, now, &actions)
    default: break
    }
    reportHealth(&actions)
  }

  private mutating func connect(_ now: MonotonicInstant, _ actions: inout [Action]) {
    guard serialNumber != nil || rules.canRegister else {
      actions.append(
        .park(problem: Self.notRegistered, remedy: Self.register))
      return
    }
    phase = .connecting
    actions.append(.connect)
  }

  private mutating func opened(_ now: MonotonicInstant, _ actions: inout [Action]) {
    switch phase {
    case .connecting: phase = .welcoming(since: now)
    // A person has given the printer back meanwhile.
    case .leaving: actions.append(.close)
    default: break
    }
  }

  private mutating func serve(
    _ since: MonotonicInstant, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    let status = report()
    if schedule.due(status, now) <= now { send(status, now, &actions) }
    if !saidVersion, let serialNumber {
      saidVersion = true
      actions.append(
        .emit(
          "setVersion",
          [
            "serialNumber": .string(serialNumber), "runningVersion": .string(Product.version),
          ]))
    }
    if case .unanswered(let since) = delivery, let lastHeard,
      lastHeard > since.advanced(by: Self.hearsay)
    {
      settleByWord(&actions)
    }
    deliver(now, &actions)
    if rules.isOnce {
      let isDone = owed == nil && !owesMore && unkept.isEmpty
      if isDone || since.advanced(by: Self.patience) <= now { close(.finish, &actions) }
      return
    }
    guard let step = images.step(imageKind, now) else { return }
    switch step {
    case .ask(let kind): ask(kind, &actions)
    case .upload(let form, let kind): actions.append(.upload(form, kind))
    }
  }

  private mutating func ask(_ kind: ImageDesk.Kind, _ actions: inout [Action]) {
    guard let serialNumber else { return }
    var body: JSONObject = [
      "serialNumber": .string(serialNumber), "method": "post", "type": .string(kind.word),
    ]
    if case .printing(let jobID) = kind { body["jobId"] = .string(jobID) }
    actions.append(.emit("getUrl", body))
  }

  // MARK: Status

  /// What the printer is told to be, now.
  func report() -> StatusReport {
    StatusReport(
      reading, code: StatusCode(reading, tracker), job: tracker.job,
      serialNumber: serialNumber ?? "", startedAt: jobStart?.at)
  }

  mutating func send(
    _ status: StatusReport, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    actions.append(.emit("status", status.json))
    schedule.sent(status, at: now)
  }

  /// Whose pictures are wanted.
  var imageKind: ImageDesk.Kind {
    guard let job = tracker.job else { return .idle }
    switch StatusCode(reading, tracker) {
    case .preparing, .printing, .paused: return .printing(jobID: job.id)
    default: return .idle
    }
  }

  /// Once per job, so that it does not move with the clock.
  private mutating func noteJobStart() {
    guard reading.isJobOn else {
      if reading.isKnown { jobStart = nil }
      return
    }
    guard jobStart?.key != reading.filename else { return }
    // Whatever the printer says, it is not older than thirty years.
    let seconds = min(reading.totalDuration, 1e9)
    let began = rules.wallTime().advanced(by: .zero - .seconds(seconds))
    jobStart = (reading.filename, began)
  }

  // MARK: Health

  private mutating func reportHealth(_ actions: inout [Action]) {
    guard case .online = phase, health != .online else { return }
    health = .online
    actions.append(.report(.online))
  }

  /// Something is wrong that the session goes on with.
  mutating func fail(
    _ problem: String, _ kind: String, remedy: String = "it is tried again by itself",
    _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    if let count = occurrences.note(kind) {
      let times = count > 1 ? " (\(count) times)" : ""
      actions.append(.log(.warning, "\(problem)\(times); \(remedy)"))
    }
    let new = BackendHealth.degraded(problem: problem, remedy: remedy)
    if health != new {
      health = new
      actions.append(.report(new))
    }
    note(error: problem, &actions)
  }

  /// Keeps what the page shows as the last error.
  mutating func note(error: String?, _ actions: inout [Action]) {
    guard lastError != error else { return }
    lastError = error
    actions.append(.store(.error(error)))
  }

  static let wasGivenBack = "this printer was unregistered here"
  static let notRegistered = "this printer is not registered with the Polar Cloud"
  static let register =
    "enter e-mail and PIN on the page at /polar-cloud/, or write them down as username and pin"
}
