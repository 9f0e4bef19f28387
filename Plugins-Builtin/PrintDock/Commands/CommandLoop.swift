internal import ConnectorKit
internal import JSON
internal import Platform

/// Fetches PrintDock's commands and has them executed, for as long as it runs.
///
/// Fetching goes on while a command is under way. Pause and cancel overtake; everything else is submitted one after the
/// other, in PrintDock's order.
struct CommandLoop: Sendable {
  /// So many commands may wait for their turn; more are refused.
  static let mostWaiting = 100
  /// So many elements of one answer are looked at.
  static let mostElements = 256

  let session: Session
  let interval: Duration
  /// The most bytes of an answer.
  let answerLimit: Int
  let runner: CommandRunner

  private var context: BackendContext { session.context }

  /// Until cancelled; then whatever waits for its turn is answered as not executed.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    let line = WaitingLine()
    let waiter = session.admission.waiter(context.time)
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { await work(through: line) }
      defer { line.close() }
      var schedule = CallSchedule(interval: interval)
      var next = context.time.now.advanced(by: interval * context.random())
      // The answer before, where it was full: what waited with it comes in the next one.
      var former: CommandContact?
      while true {
        // Woken early by an admission that came meanwhile: it does not bring the call forward.
        while context.time.now < next { try await waiter.wait(until: next) }
        try await session.admitted(waiter)
        guard line.contentBytes < answerLimit else {
          // Large uploads wait for their turn: more of them would fill the memory.
          next = context.time.now.advanced(by: interval.jittered(context.random()))
          continue
        }
        let start = context.time.now
        var answer: [ReceivedCommand] = []
        var contact: CommandContact?
        let error = try await session.failure {
          (answer, contact) = try await fetch(after: former)
        }
        if let contact { former = answer.count < CloudClient.mostCommands ? nil : contact }
        session.ended(.commands, error)
        if let contact { await take(answer, contact, line, &group) }
        next = schedule.next(
          after: start, endedAt: context.time.now, error: error, random: context.random())
      }
    }
  }

  /// Fetches once and has executed what came, in order.
  ///
  /// - Throws: `CloudError`, `CancellationError`.
  func runOnce() async throws {
    let (answer, contact) = try await fetch()
    for received in answer {
      switch received {
      case .order(let order): await runner.execute(order, in: contact)
      case .refused(let completion): await runner.refuse(completion)
      case .unreadable(let problem): runner.drop(problem)
      }
    }
  }

  private func fetch(
    after former: CommandContact? = nil
  ) async throws -> ([ReceivedCommand], CommandContact) {
    let elements = try await session.client.commands(limit: answerLimit, as: session.identity)
    let contact = context.commands.contact(continuing: former)
    if elements.count > Self.mostElements {
      context.log(
        .warning,
        "\(elements.count) commands came at once: the first \(Self.mostElements) are looked at")
    }
    let answer = elements.prefix(Self.mostElements).map {
      ReceivedCommand($0, printerID: session.identity.printerID)
    }
    return (answer, contact)
  }

  private func take(
    _ answer: [ReceivedCommand], _ contact: CommandContact, _ line: WaitingLine,
    _ group: inout ThrowingDiscardingTaskGroup<any Error>
  ) async {
    for received in answer {
      switch received {
      case .unreadable(let problem): runner.drop(problem)
      case .refused(let completion): await runner.refuse(completion)
      case .order(let order) where order.task.overtakes:
        if case .cancel = order.task {
          for start in line.takeStarts() {
            await runner.refuse(start, "not executed: a cancel came before its turn")
          }
        }
        group.addTask { await runner.execute(order, in: contact) }
      case .order(let order):
        guard line.count < Self.mostWaiting else {
          await runner.refuse(order, "too many commands are waiting")
          continue
        }
        line.append(order, contact)
      }
    }
  }

  private func work(through line: WaitingLine) async {
    while let (order, contact) = await line.next() {
      await runner.execute(order, in: contact)
      line.ended(order)
    }
    for order in line.remaining() {
      await runner.refuse(order, "not executed: printer-uplink was stopped before its turn")
    }
  }
}
