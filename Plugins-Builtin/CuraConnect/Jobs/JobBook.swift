internal import ConnectorKit
internal import Platform

/// All jobs that Cura is shown, and how they come and go. A pure state machine: what happens goes in, ``listed`` comes out.
struct JobBook: Sendable {
  /// So long an ended job stays, unless the next one starts or the printer is told to forget it.
  private static let rest = Duration.seconds(600)
  /// So long a transition is believed that does not come about.
  private static let transitionPatience = Duration.seconds(60)
  /// So long a job that has left Moonraker's queue may take to begin.
  private static let popPatience = Duration.seconds(15)
  /// So long a start may be unseen.
  private static let startPatience = Duration.seconds(120)
  /// So long a start may be unseen that the printer has taken.
  private static let showPatience = Duration.seconds(20)
  /// The most failed jobs that are kept.
  private static let mostFailed = 10

  /// The printer's UUID, from which others' jobs get theirs.
  let printerUUID: String
  /// The job on the printer, or the last one that was; at most one.
  private(set) var active: CuraJob?
  /// All others, in the order in which they are listed.
  private(set) var waiting: [CuraJob] = []
  /// Counts changes.
  private(set) var revision: UInt64 = 0
  /// A job that ran when a former daemon ended, until we have looked.
  private var remembered: CuraJob?
  private var isSighted = false
  /// Jobs that were on their way into the queue when a former daemon ended, until we have looked into it.
  private var homeless: Set<String> = []
  /// Places in Moonraker's queue of jobs whose start was sent and not refused. Whatever became of it, they are not started
  /// again: they count as gone, and are taken out of there.
  private(set) var spent: [QueueTicket] = []
  /// Whether Moonraker's queue has been seen since Moonraker was connected. Before that nobody knows what is left of it.
  private(set) var isQueueSeen = false
  /// Whether the start of the active job has no answer yet: Klipper may heat first.
  private var isSending = false
  /// The ended job that lay on the bed before the start that is being sent.
  private var former: CuraJob?

  /// A book without jobs.
  init(printerUUID: String) { self.printerUUID = printerUUID }

  /// What Cura is shown: the active job, the queue, and what came to nothing.
  var listed: [CuraJob] {
    ([active].compactMap(\.self) + waiting).filter { $0.uuid != nil }
  }

  /// A job by its UUID.
  func job(_ uuid: String) -> CuraJob? { listed.first { $0.uuid == uuid } }

  /// The jobs of Moonraker's queue, in its order.
  var queue: [CuraJob] {
    waiting.filter { if case .queued = $0.phase { true } else { false } }
  }

  /// How many wait, those that are still coming included.
  var waitingCount: Int {
    waiting.count { if case .failed = $0.phase { false } else { true } }
  }

  // MARK: Uploads

  /// A job has arrived.
  mutating func add(_ job: CuraJob) {
    change { $0.waiting.append(job) }
  }

  /// Something about a waiting or active job is known now.
  mutating func update(_ uuid: String, _ body: (inout CuraJob) -> Void) {
    change { book in
      if book.active?.uuid == uuid, var job = book.active {
        body(&job)
        book.active = job
      } else if let place = book.waiting.firstIndex(where: { $0.uuid == uuid }) {
        body(&book.waiting[place])
      }
    }
  }

  /// A job came to nothing.
  mutating func fail(_ uuid: String, _ reason: String) {
    change { book in
      guard var job = book.take(uuid) else { return }
      job.phase = .failed(reason)
      job.notice = reason
      book.waiting.append(job)
      let failed = book.waiting.filter { if case .failed = $0.phase { true } else { false } }
      for old in failed.dropLast(Self.mostFailed) { _ = old.uuid.flatMap { book.take($0) } }
    }
  }

  /// A job is gone.
  mutating func remove(_ uuid: String) { change { _ = $0.take(uuid) } }

  // MARK: Starts and transitions

  /// A job's start is being sent.
  ///
  /// - Returns: false where another job has begun or begins, or this one does not wait any more: nothing may be sent then.
  mutating func beginStart(_ uuid: String, at now: MonotonicInstant) -> Bool {
    guard !(active?.isOn ?? false), job(uuid)?.isWaiting ?? false else { return false }
    change { book in
      guard var job = book.take(uuid) else { return }
      if case .queued(let ticket) = job.phase { book.spent.append(ticket) }
      job.phase = .starting(since: now)
      job.notice = nil
      book.former = book.active
      book.isSending = true
      (job.elapsed, job.total) = (0, job.estimate ?? 0)
      book.active = job
    }
    return true
  }

  /// The start was refused: the job is where it was, and so is the one before it. One that has begun all the same goes on.
  ///
  /// - Parameter phase: where that was.
  mutating func startFailed(_ uuid: String, back phase: CuraJob.Phase, _ reason: String) {
    guard case .starting = active?.phase, active?.uuid == uuid else { return }
    change { book in
      if case .queued(let ticket) = phase { book.spent.removeAll { $0 == ticket } }
      guard var job = book.take(uuid) else { return }
      book.isSending = false
      job.phase = phase
      job.notice = reason
      book.waiting.insert(job, at: 0)
      book.active = book.former
      book.former = nil
    }
  }

  /// The start has its answer, and was not refused: from now on the printer is waited for.
  ///
  /// - Parameter isTaken: whether the printer has taken it: then the job shows soon, or it was ended at once.
  mutating func sent(_ uuid: String, isTaken: Bool, at now: MonotonicInstant) {
    guard case .starting = active?.phase, active?.uuid == uuid else { return }
    change { book in
      let since = isTaken ? now.advanced(by: Self.showPatience - Self.startPatience) : now
      book.active?.phase = .starting(since: since)
      book.isSending = false
    }
  }

  /// Something has been asked for that does not show yet.
  mutating func begin(_ word: CuraJob.Transition.Word, of uuid: String, at now: MonotonicInstant) {
    update(uuid) { job in
      if case .running = job.phase {
        job.phase = .running(CuraJob.Transition(word: word, since: now))
      }
    }
  }

  /// What has been asked for was refused.
  mutating func endTransition(of uuid: String) {
    update(uuid) { job in if case .running = job.phase { job.phase = .running(nil) } }
  }

  // MARK: What the printer shows

  /// Takes in what the printer shows.
  mutating func observe(_ reading: PrinterReading, at now: MonotonicInstant, wallTime: WallTime) {
    guard reading.isReachable, reading.state != nil else { return }
    if reading.isJobOn {
      follow(reading, at: now, wallTime: wallTime)
    } else {
      settle(reading, at: now)
    }
    isSighted = true
    guard let lost = remembered else { return }
    remembered = nil
    guard case .starting = lost.phase, lost.uuid != active?.uuid, let uuid = lost.uuid else {
      return
    }
    add(lost)
    fail(uuid, "printer-uplink ended while it was being started; it is among the printer's files")
  }

  private mutating func follow(
    _ reading: PrinterReading, at now: MonotonicInstant, wallTime: WallTime
  ) {
    var job: CuraJob
    if let present = active, present.isOn, present.path?.text == reading.filename {
      job = present
    } else {
      if let late = active, case .starting = late.phase, let uuid = late.uuid {
        fail(uuid, "another job began before it; it is among the printer's files")
      }
      job = begun(reading.filename, at: now, wallTime: wallTime)
    }
    var transition: CuraJob.Transition?
    if case .running(let present) = job.phase { transition = present }
    let isReached =
      switch transition?.word {
      case .pausing: reading.state == "paused"
      case .resuming: reading.state == "printing"
      case .aborting, nil: false
      }
    if isReached { transition = nil }
    job.phase = .running(transition)
    job.elapsed = reading.elapsed
    job.total = max(reading.total, reading.elapsed + 1)
    if job != active { change { $0.active = job } }
  }

  /// The job that the printer has begun to print.
  private mutating func begun(
    _ filename: String, at now: MonotonicInstant, wallTime: WallTime
  ) -> CuraJob {
    if let remembered, !isSighted, remembered.path?.text == filename { return remembered }
    let popped = waiting.first {
      if case .popped = $0.phase { $0.path?.text == filename } else { false }
    }
    if let popped, let uuid = popped.uuid {
      _ = take(uuid)
      return popped
    }
    let path = GCodePath(filename)
    return CuraJob(
      uuid: nil, name: path?.name ?? "print", path: path, owner: CuraJob.others,
      createdAt: wallTime,
      phase: .running(nil), isForeign: true)
  }

  private mutating func settle(_ reading: PrinterReading, at now: MonotonicInstant) {
    guard let job = active else { return }
    switch job.phase {
    case .running:
      switch reading.state {
      case "complete": end(job, .complete, at: now)
      case "cancelled": end(job, .cancelled, at: now)
      case "error": end(job, .failed, at: now)
      default: change { $0.active = nil }
      }
    case .ended: if reading.state == "standby" { change { $0.active = nil } }
    default: break
    }
  }

  private mutating func end(
    _ job: CuraJob, _ ending: CuraJob.Ending, at now: MonotonicInstant
  ) {
    var job = job
    job.phase = .ended(ending, at: now)
    // Cura tells a finished job from an aborted one by these two.
    if ending == .complete {
      job.total = max(job.total, job.elapsed, 1)
      job.elapsed = job.total
    } else {
      job.total = max(job.total, job.elapsed + 1)
    }
    change { $0.active = job }
  }

  /// A job that somebody else started has got its UUID.
  mutating func identify(_ uuid: String) {
    guard active != nil, active?.uuid == nil else { return }
    change { $0.active?.uuid = uuid }
  }

  /// Whether somebody else's job runs that has no UUID yet.
  var wantsIdentity: Bool { active.map { $0.uuid == nil } ?? false }

  // MARK: Moonraker's queue

  /// Moonraker is gone, and perhaps its queue with it.
  mutating func loseQueue() {
    guard isQueueSeen else { return }
    change { $0.isQueueSeen = false }
  }

  /// Takes in what Moonraker's queue holds now.
  ///
  /// - Parameter unnamed: places in it of jobs whose files' names cannot be held.
  /// - Returns: whether all of it is among ``queue``.
  @discardableResult
  mutating func takeQueue(
    _ entries: [QueueEntry], unnamed: [QueueTicket] = [], at now: MonotonicInstant,
    wallTime: WallTime
  ) -> Bool {
    let present = Set(entries.map(\.ticket) + unnamed)
    var isWhole = unnamed.isEmpty
    change { book in
      let isFirst = !book.isQueueSeen
      book.isQueueSeen = true
      book.spent.removeAll { !present.contains($0) }
      let spent = Set(book.spent)
      let live = entries.filter { !spent.contains($0.ticket) }
      // Whoever lays the queue anew, as Mainsail does for any change of its order, gives all of it new tickets: what has
      // none of the present ones is found again by its file.
      var (byTicket, byPath) = Self.places(in: book.waiting, present)
      var taken = Set<Int>()
      var queue: [CuraJob] = []
      for entry in live {
        var place = byTicket.removeValue(forKey: entry.ticket)
        if place == nil, let first = byPath[entry.path]?.first {
          byPath[entry.path]?.removeFirst()
          place = first
        }
        if let place {
          var job = book.waiting[place]
          taken.insert(place)
          job.phase = .queued(entry.ticket)
          job.isMissed = false
          queue.append(job)
        } else if queue.count < QueueStatus.most {
          queue.append(book.others(entry, wallTime: wallTime))
        } else {
          isWhole = false
        }
      }
      var rest = book.waiting.indices.filter { !taken.contains($0) }.map { book.waiting[$0] }
      for place in rest.indices {
        guard case .queued = rest[place].phase else { continue }
        rest[place].phase = .popped(since: now)
        rest[place].isMissed = isFirst && !rest[place].isForeign
      }
      book.waiting = queue + rest
      book.adoptPopped()
      let homeless = book.homeless
      book.homeless = []
      for job in rest where job.phase == .coming {
        guard let uuid = job.uuid, homeless.contains(uuid) else { continue }
        book.fail(
          uuid,
          job.path == nil
            ? "printer-uplink ended before the printer had it"
            : "printer-uplink ended before it was queued; it is among the printer's files")
      }
    }
    return isWhole
  }

  /// Where the jobs stand that may be in the queue: by the places that are there still, and the others by their files.
  private static func places(
    in waiting: [CuraJob], _ present: Set<QueueTicket>
  ) -> (byTicket: [QueueTicket: Int], byPath: [GCodePath: [Int]]) {
    var byTicket: [QueueTicket: Int] = [:]
    var byPath: [GCodePath: [Int]] = [:]
    for (place, job) in waiting.enumerated() {
      if case .failed = job.phase { continue }
      if case .queued(let ticket) = job.phase, present.contains(ticket) {
        byTicket[ticket] = place
      } else if let path = job.path {
        byPath[path, default: []].append(place)
      }
    }
    return (byTicket, byPath)
  }

  /// A job of ours that has left the queue is the one that has just begun under another's name.
  private mutating func adoptPopped() {
    guard var job = active, job.isOn, job.isForeign,
      let place = waiting.firstIndex(where: {
        if case .popped = $0.phase { $0.path == job.path } else { false }
      })
    else { return }
    let mine = waiting.remove(at: place)
    job.uuid = mine.uuid
    job.owner = mine.owner
    job.isForeign = mine.isForeign
    job.createdAt = mine.createdAt
    job.isForced = mine.isForced
    active = job
  }

  private func others(_ entry: QueueEntry, wallTime: WallTime) -> CuraJob {
    let milliseconds = Int64(exactly: (entry.ticket.timeAdded * 1_000).rounded(.down))
    return CuraJob(
      uuid: GUIDText.derived(
        from: printerUUID, entry.ticket.jobID, "\(entry.ticket.timeAdded)"),
      name: entry.path.name, path: entry.path, owner: CuraJob.others,
      createdAt: milliseconds.map { WallTime(millisecondsSinceEpoch: $0) } ?? wallTime,
      phase: .queued(entry.ticket), isForeign: true)
  }

  // MARK: Time

  /// Drops what has had its time.
  mutating func expire(at now: MonotonicInstant) {
    if let job = active {
      switch job.phase {
      case .ended(_, let since) where since.duration(to: now) > Self.rest:
        change { $0.active = nil }
      case .running(let transition?)
      where transition.since.duration(to: now) > Self.transitionPatience:
        change { $0.active?.phase = .running(nil) }
      case .starting(let since) where !isSending && since.duration(to: now) > Self.startPatience:
        if let uuid = job.uuid {
          fail(uuid, "the printer did not begin it; it is among the printer's files")
        }
      default: break
      }
    }
    let late = waiting.filter {
      if case .popped(let since) = $0.phase {
        since.duration(to: now) > Self.popPatience
      } else {
        false
      }
    }
    for job in late {
      guard let uuid = job.uuid else { continue }
      if job.isMissed {
        fail(
          uuid,
          "it is in Moonraker's queue no more, which forgets it at a restart; it is among the printer's files"
        )
      } else {
        remove(uuid)
      }
    }
  }

  // MARK: Across a restart

  /// Takes in the jobs that a former daemon knew: those in the queue are matched with what it holds when it is asked.
  ///
  /// - Parameter spent: the places in the queue of jobs that were started, as far as they were not taken out of there.
  mutating func load(_ jobs: [CuraJob], spent: [QueueTicket] = []) {
    change { book in
      book.spent = spent
      for job in jobs {
        if job.isOn { book.remembered = job } else { book.waiting.append(job) }
        if job.phase == .coming, let uuid = job.uuid { book.homeless.insert(uuid) }
      }
    }
  }

  // MARK: Inside

  private mutating func take(_ uuid: String) -> CuraJob? {
    if active?.uuid == uuid {
      defer { active = nil }
      return active
    }
    return waiting.firstIndex { $0.uuid == uuid }.map { waiting.remove(at: $0) }
  }

  private mutating func change(_ body: (inout JobBook) -> Void) {
    body(&self)
    revision &+= 1
  }
}
