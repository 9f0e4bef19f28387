internal import ConnectorKit
internal import JSON
internal import Platform

/// Hands single commands to the gate, and sees to it that each has one result.
struct CommandRunner: Sendable {
  let context: BackendContext
  let rules: OrderRules
  let printing: PrintRunner
  let statistics: StatisticsKeeper
  let memory: HubMemory
  /// Has an update sent with what is owed by now, and waits until the hub has it, or a moment.
  let tellNow: @Sendable (CommandReport) async -> Void

  /// Has a command executed; its result is owed when this returns.
  func execute(_ job: CommandQueue.Job) async {
    let command = job.command
    context.log(.info, "command \(command.id): \(command.action)")
    let outcome: CommandOutcome
    switch job.order {
    case .printer(let commands): outcome = await submit(commands, job)
    case .toggleFan:
      let isOn = (context.status.current.field("fan", "speed")?.double ?? 0) > 0
      outcome = await submit([.fan(isOn ? 0 : 1)], job)
    case .farewell(let farewell): outcome = await bidFarewell(farewell, job)
    case .print(let order): outcome = await printing.print(order, job, owing: owing(command))
    case .printLocal(let name):
      outcome = await printing.printLocal(name, job, owing: owing(command))
    }
    memory.change { $0.board.forgetProgress(command.id) }
    if !Task.isCancelled { memory.noteKnown(command) }
    guard !outcome.isRepeat else {
      return context.log(.debug, "command \(command.id) came again; it is not executed again")
    }
    if outcome.status == .done {
      context.log(.info, "command \(command.id): \(command.action): completed")
    } else {
      let report = CommandReport(command, outcome, at: context.time.wallTime)
      context.log(
        .warning, "command \(command.id): \(command.action): \(report.status): \(report.message)")
    }
  }

  /// Refuses a command that could have been one; the gate remembers that.
  func refuse(_ job: CommandQueue.Job, _ reason: CommandFailure) {
    let report = CommandReport(job.command, refused: reason, at: context.time.wallTime)
    // The audit has each of a flood; here the 1st, 2nd, 4th… of a kind do.
    if let count = lines.withLock({ $0.note(reason.message) }) {
      let times = count > 1 ? " (\(count) times)" : ""
      context.log(
        .warning,
        "command \(job.command.id): \(job.command.action): \(report.status): \(reason.message)\(times)"
      )
    }
    memory.noteKnown(job.command)
    refusals.box.yield((job, reason))
  }

  /// Refuses what is no command that is taken.
  func reject(_ command: HubCommand, _ reason: CommandFailure) {
    rejections.box.yield(CommandReport(command, refused: reason, at: context.time.wallTime))
  }

  /// Brings refusals to the gate and into the outbox, until cancelled: none of them may hold a command up.
  func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask {
        for await (job, reason) in refusals.stream { _ = await submit(job, refusing: reason) }
        throw CancellationError()
      }
      group.addTask {
        for await report in rejections.stream {
          // What is refused must push nothing out that was done.
          while await context.outbox.isHalfFull {
            try await context.time.sleep(for: .milliseconds(250))
          }
          await context.outbox.put(report.owed(isExpendable: true))
        }
        throw CancellationError()
      }
    }
  }

  /// Brings what was refused so far, for a single round.
  func runOnce() async {
    refusals.box.finish()
    rejections.box.finish()
    for await (job, reason) in refusals.stream { _ = await submit(job, refusing: reason) }
    for await report in rejections.stream {
      await context.outbox.put(report.owed(isExpendable: true))
    }
  }

  private let lines = Guarded(OccurrenceThrottle<String>())
  private let refusals = Box<(job: CommandQueue.Job, reason: CommandFailure)>()
  private let rejections = Box<CommandReport>()

  /// A line of things to do that holds a thousand, and drops what comes beyond: a flood has no right to an answer.
  private struct Box<Element: Sendable>: Sendable {
    let stream: AsyncStream<Element>
    let box: AsyncStream<Element>.Continuation
    init() {
      let (stream, box) = AsyncStream.makeStream(
        of: Element.self, bufferingPolicy: .bufferingOldest(1_000))
      self.stream = stream
      self.box = box
    }
  }

  init(
    context: BackendContext, rules: OrderRules, printing: PrintRunner,
    statistics: StatisticsKeeper, memory: HubMemory,
    tellNow: @escaping @Sendable (CommandReport) async -> Void
  ) {
    self.context = context
    self.rules = rules
    self.printing = printing
    self.statistics = statistics
    self.memory = memory
    self.tellNow = tellNow
  }

  // MARK: The gate

  /// Submits commands that belong together, one after the other, as one.
  private func submit(_ commands: [PrinterCommand], _ job: CommandQueue.Job) async -> CommandOutcome
  {
    var outcome = CommandOutcome(.refused, .invalid, "there is nothing to do")
    for (number, command) in commands.enumerated() {
      let isLast = number == commands.count - 1
      let owing = owing(job.command)
      outcome = await context.commands.submit(
        CommandRequest(
          id: number == 0 ? job.command.id : "\(job.command.id)#\(number)",
          wireName: job.command.action, command: command, age: job.command.age),
        in: job.contact, work: work(for: command, job),
        owing: { outcome in
          isLast || outcome.status != .done ? owing(Self.half(outcome, number)) : nil
        })
      guard outcome.status == .done else { return Self.half(outcome, number) }
    }
    return outcome
  }

  /// An end after `count` parts that were done: nobody must take it for one that changed nothing.
  private static func half(_ outcome: CommandOutcome, _ count: Int) -> CommandOutcome {
    guard count > 0, outcome.status != .done else { return outcome }
    var told = CommandOutcome(
      outcome.status == .refused ? .failed : outcome.status, outcome.reason,
      "only half done, the nozzle is set and the bed is not: \(outcome.message)",
      details: outcome.details, code: outcome.code)
    told.isRepeat = outcome.isRepeat
    return told
  }

  /// A macro must be one that Klipper has: to Klipper a name that it does not know is no error.
  private func work(for command: PrinterCommand, _ job: CommandQueue.Job) -> CommandWork? {
    guard case .macro(let name, _) = command else { return nil }
    return { [context] (printer) async throws(CommandFailure) in
      try printer.checkPermission()
      guard
        let request = MoonrakerRequest(
          parts: ["printer", "objects", "list"], method: .get, query: [], body: JSONObject())
      else { return nil }
      let outcome = await context.commands.submit(
        CommandRequest(
          id: "own-macros-\(job.command.id)", wireName: "macros", command: .query(request)),
        in: CommandContact(backend: context.name, at: context.time.now, previous: nil), work: nil,
        owing: { _ in nil })
      guard let objects = outcome.details?["objects"]?.array else { return nil }
      let wanted = "gcode_macro \(name)".lowercased()
      guard objects.contains(where: { $0.string?.lowercased() == wanted }) else {
        throw CommandFailure(.invalid, "Klipper has no macro \(name)")
      }
      return nil
    }
  }

  private func submit(
    _ job: CommandQueue.Job, refusing reason: CommandFailure
  ) async -> CommandOutcome {
    await context.commands.submit(
      CommandRequest(
        id: job.command.id, wireName: job.command.action, command: job.order.standIn,
        age: job.command.age, refusal: reason), in: job.contact, work: nil,
      owing: owing(job.command))
  }

  /// A restart of the host: the hub is told before, because there is no after.
  private func bidFarewell(
    _ command: PrinterCommand, _ job: CommandQueue.Job
  ) async -> CommandOutcome {
    await context.commands.submit(
      CommandRequest(
        id: job.command.id, wireName: job.command.action, command: command, age: job.command.age),
      in: job.contact,
      work: { [tellNow, time = context.time] (printer) async throws(CommandFailure) in
        try printer.checkPermission()
        await tellNow(CommandReport(job.command, .done(), at: time.wallTime))
        return nil
      }, owing: owing(job.command))
  }

  /// What the hub is owed for an outcome; nothing for one that it has been told before.
  private func owing(_ command: HubCommand) -> @Sendable (CommandOutcome) -> OwedItem? {
    { [time = context.time] outcome in
      if outcome.isRepeat { return nil }
      return CommandReport(command, outcome, at: time.wallTime)
        .owed(isExpendable: outcome.status == .refused)
    }
  }
}
