internal import ConnectorKit
internal import JSON
internal import Platform

/// Where commands are taken in, kept until their turn comes, and handed to whoever executes them.
final class CommandDesk: Sendable {
  private let context: BackendContext
  private let memory: HubMemory
  private let runner: CommandRunner
  private let queue: Guarded<CommandQueue>
  private let nudge = Nudge()
  private let arrivals: (stream: AsyncStream<Arrival>, box: AsyncStream<Arrival>.Continuation)
  private let lines = Guarded(OccurrenceThrottle<String>())
  /// Whether what waits is not on the disk as it is.
  private let isUnsaved = Guarded(false)

  /// What came in one answer.
  private struct Arrival: Sendable {
    var commands: [HubCommand]
    var contact: CommandContact
  }

  init(context: BackendContext, memory: HubMemory, runner: CommandRunner, distance: Duration) {
    self.context = context
    self.memory = memory
    self.runner = runner
    queue = Guarded(CommandQueue(distance: distance))
    let (stream, box) = AsyncStream.makeStream(of: Arrival.self)
    arrivals = (stream, box)
  }

  /// Takes the hub's list. Never blocks.
  ///
  /// - Parameter date: the hub's clock, where it says.
  func take(_ elements: [JSONValue], _ generation: Generation, date: WallTime?) {
    let contact = context.commands.contact()
    guard !elements.isEmpty else { return }
    let now = context.time.wallTime
    var commands: [HubCommand] = []
    for element in elements {
      do throws(HubCommand.Defect) {
        commands.append(
          try HubCommand(element, generation, clock: date ?? now, receivedAt: now))
      } catch {
        drop(error.problem)
      }
    }
    runner.statistics.count { $0.commandsReceived &+= Int64(elements.count) }
    arrivals.box.yield(Arrival(commands: commands, contact: contact))
  }

  /// Until cancelled; what still waits then lies on the disk.
  func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { try await self.work() }
      for job in restore() { group.addTask { await self.runner.execute(job) } }
      nudge.send()
      for await arrival in arrivals.stream {
        for job in sort(arrival) { group.addTask { await self.runner.execute(job) } }
        // What waits behind another must survive us from now on: the hub has forgotten it.
        if queue.withLock({ $0.running != nil && !$0.waiting.isEmpty }) {
          group.addTask { await self.memory.save() }
        }
        nudge.send()
      }
      throw CancellationError()
    }
  }

  /// Executes what came, and returns when all of it has ended; for a single round.
  func runOnce() async {
    for job in restore() { await runner.execute(job) }
    arrivals.box.finish()
    for await arrival in arrivals.stream {
      for job in sort(arrival) { await runner.execute(job) }
    }
    await memory.save()
    while true {
      switch queue.withLock({ $0.next(at: context.time.now) }) {
      case .nothing: return
      case .wait(let until): try? await context.time.sleep(until: until)
      case .start(let job): await finish(job)
      }
      if Task.isCancelled { return }
    }
  }

  // MARK: Taking in

  /// What is to be started at once; everything else is refused, dropped, or waits from now on.
  private func sort(_ arrival: Arrival) -> [CommandQueue.Job] {
    var jobs: [CommandQueue.Job] = []
    var new = 0
    for command in arrival.commands {
      guard !memory.isKnown(command) else {
        context.log(.debug, "command \(command.id) came again; it is not executed again")
        continue
      }
      do throws(CommandFailure) {
        let order = try HubOrder(command, runner.rules)
        // Known from now on, whatever becomes of it: the next life must not pass it on again.
        if order.isStop { memory.noteKnown(command) }
        new += 1
        guard new <= Self.mostTaken || order.isStop else { continue }
        jobs.append(CommandQueue.Job(command: command, order: order, contact: arrival.contact))
      } catch {
        new += 1
        if new <= Self.mostTaken { refuse(command, error) }
      }
    }
    if new > Self.mostTaken {
      drop("more than \(Self.mostTaken) new commands came at once; the rest is not looked at")
    }
    let intake = change { $0.take(jobs) }
    for (job, reason) in intake.refused { runner.refuse(job, reason) }
    return intake.atOnce
  }

  /// Answers what is no command that is taken.
  private func refuse(_ command: HubCommand, _ reason: CommandFailure) {
    context.commands.noteRefusal(id: command.id, wireName: command.action, reason)
    if let count = lines.withLock({ $0.note("refused \(command.action)") }) {
      let times = count > 1 ? " (\(count) times)" : ""
      context.log(
        .warning, "command \(command.id): \(command.action): \(reason.message)\(times)")
    }
    memory.noteKnown(command)
    runner.reject(command, reason)
  }

  private func drop(_ problem: String) {
    // A hub that hands it out for ever must not fill the audit either.
    guard let count = lines.withLock({ $0.note("dropped: \(problem)") }) else { return }
    context.commands.noteRefusal(id: "", wireName: "", CommandFailure(.invalid, problem))
    let times = count > 1 ? " (\(count) times)" : ""
    context.log(.warning, "something that came as a command is dropped: \(problem)\(times)")
  }

  /// What a former run could not begin any more waits again, at the age that it has by now.
  ///
  /// - Returns: what waits for nothing.
  private func restore() -> [CommandQueue.Job] {
    let waiting = memory.contents.waiting
    guard !waiting.isEmpty else { return [] }
    let now = context.time.wallTime
    let contact = CommandContact(backend: context.name, at: context.time.now, previous: nil)
    var jobs: [CommandQueue.Job] = []
    for var command in waiting {
      let waited = Duration.milliseconds(
        now.millisecondsSinceEpoch - command.receivedAt.multipliedClamping(by: 1_000))
      command.age = (command.age ?? .zero) + waited
      let order: HubOrder
      do throws(CommandFailure) {
        order = try HubOrder(command, runner.rules)
      } catch {
        // The owner has changed what is taken, meanwhile.
        refuse(command, error)
        continue
      }
      let job = CommandQueue.Job(command: command, order: order, contact: contact)
      if waited > Self.longestAbsence || waited < .zero - Self.longestAbsence {
        runner.refuse(job, CommandFailure(.stale, "it waited while printer-uplink was not running"))
      } else {
        jobs.append(job)
      }
    }
    let intake = change { $0.take(jobs) }
    for (job, reason) in intake.refused { runner.refuse(job, reason) }
    return intake.atOnce
  }

  /// So long a command that had not been begun may have waited for the daemon's next life.
  private static let longestAbsence = Duration.seconds(120)
  /// So many new commands of one answer are looked at; emergency stops always. No hub has reason to hand out more.
  private static let mostTaken = 200

  // MARK: One after the other

  private func work() async throws {
    let waiter = nudge.waiter(context.time)
    while true {
      switch queue.withLock({ $0.next(at: context.time.now) }) {
      case .start(let job): await finish(job)
      case .wait(let until): try await waiter.wait(until: until)
      case .nothing: try await waiter.wait(until: context.time.now.advanced(by: .seconds(86_400)))
      }
      try Task.checkCancellation()
    }
  }

  private func finish(_ job: CommandQueue.Job) async {
    // On the disk before anything of it begins: the hub has forgotten it.
    let isNew = isUnsaved.withLock { isUnsaved in
      defer { isUnsaved = false }
      return isUnsaved
    }
    if isNew { await memory.save() }
    if !Task.isCancelled { await runner.execute(job) }
    // At our end it may not have been done: it stays where it is, and the gate knows whether it was begun.
    if Task.isCancelled { return }
    change { $0.ended() }
    // An empty list is written too, or the next life would look at it.
    if queue.withLock({ $0.waiting.isEmpty }) {
      isUnsaved.withLock { $0 = false }
      await memory.save()
    }
  }

  /// Changes the queue, and what the next life is left of it, in one.
  @discardableResult
  private func change<Result>(_ body: (inout CommandQueue) -> Result) -> Result {
    queue.withLock { queue in
      let result = body(&queue)
      let running = queue.running.map { [$0] } ?? []
      let commands = (running + queue.waiting).map(\.command)
      let isNew = memory.change { contents in
        guard contents.waiting != commands else { return false }
        contents.waiting = commands
        return true
      }
      if isNew { isUnsaved.withLock { $0 = true } }
      return result
    }
  }
}

extension Int64 {
  /// The product; the nearest number that there is where it does not fit.
  func multipliedClamping(by factor: Int64) -> Int64 {
    let (product, isOver) = multipliedReportingOverflow(by: factor)
    return isOver ? (self < 0 ? .min : .max) : product
  }
}
