internal import ConnectorKit
internal import JSON
internal import Platform

/// Fetches PrintDock's commands and has them executed, for as long as it runs.
///
/// Fetching goes on while a command is under way, and while the disk hangs. Pause and cancel overtake; everything else
/// is submitted one after the other, in PrintDock's order, and behind what has overtaken it since before it came. What
/// a pause or a cancel is about may still wait for its turn: a pause then keeps its place behind it, and a cancel takes
/// it out. What is refused here goes to the gate too, one after the other, and as fast as PrintDock takes the answers.
struct CommandLoop: Sendable {
  /// So many commands may wait for their turn; more are refused.
  static let mostWaiting = 100
  /// So many pauses that keep their place may wait beside them.
  static let mostPauses = 100
  /// So many may have overtaken and be unfinished; more are refused.
  static let mostOvertaking = 100
  /// So many elements of one answer are looked at, and in a single round.
  static let mostElements = 10_000
  static let mostElementsOnce = 256
  /// So many of what waits are answered at the end, which must not take long.
  static let mostAtEnd = 150
  /// So many lines a flood gets, and then the count of the others.
  static let mostLines = 5

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
    let refusals = RefusalLine()
    do {
      try await serve(line, refusals)
    } catch {
      // Only now nothing is put in any more: an answer may have come while all else was ending.
      let (first, others) = refusals.remaining()
      let rest = first + line.remaining().map(Refusal.stopped) + others
      await runner.refuseAtEnd(Array(rest.prefix(Self.mostAtEnd)))
      if rest.count > Self.mostAtEnd {
        context.log(
          .warning, "\(rest.count - Self.mostAtEnd) commands were not executed and are not answered"
        )
      }
      throw error
    }
  }

  private func serve(_ line: WaitingLine, _ refusals: RefusalLine) async throws {
    let waiter = session.admission.waiter(context.time)
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { await work(through: line) }
      group.addTask { await work(through: refusals) }
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
          (answer, contact) = try await fetch(after: former, most: Self.mostElements)
        }
        if let contact { former = answer.count < CloudClient.mostCommands ? nil : contact }
        session.ended(.commands, error)
        if let contact { take(answer, contact, line, refusals, &group) }
        next = schedule.next(
          after: start, endedAt: context.time.now, error: error, random: context.random())
      }
    }
  }

  /// Fetches once and has executed what came, in order.
  ///
  /// - Throws: `CloudError`, `CancellationError`.
  func runOnce() async throws {
    let (answer, contact) = try await fetch(most: Self.mostElementsOnce)
    for received in answer {
      switch received {
      case .order(let order): await runner.execute(order, in: contact)
      case .refused(let completion): await runner.refuse(.element(completion))
      case .unreadable(let problem): runner.drop(problem)
      }
    }
  }

  private func fetch(
    after former: CommandContact? = nil, most: Int
  ) async throws -> ([ReceivedCommand], CommandContact) {
    let (elements, count) = try await session.client.commands(
      limit: answerLimit, most: most, as: session.identity)
    let contact = context.commands.contact(continuing: former)
    if count > most {
      context.log(
        .warning, "\(count) commands came at once: the first \(most) are looked at")
    }
    var answer: [ReceivedCommand] = []
    for element in elements {
      answer.append(ReceivedCommand(element, printerID: session.identity.printerID))
      // Thousands take their time.
      if answer.count.isMultiple(of: 256) { await Task.yield() }
    }
    return (answer, contact)
  }

  /// Gives everything that came its way, without waiting for anything: the disk may hang, and a cancel come next.
  private func take(
    _ answer: [ReceivedCommand], _ contact: CommandContact, _ line: WaitingLine,
    _ refusals: RefusalLine, _ group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    var places: [WaitingLine.Place] = []
    var unreadable = 0
    for received in answer {
      switch received {
      case .unreadable(let problem):
        unreadable += 1
        if unreadable <= Self.mostLines { runner.drop(problem) }
      case .refused(let completion): refusals.append(.element(completion))
      case .order(let order):
        // Its refusal is on its way, and is the answer to this one too.
        if refusals.contains(order.id) { continue }
        let place = line.place(for: order, contact)
        let count = line.count + places.count
        guard order.task.overtakes else {
          if count < Self.mostWaiting {
            places.append(place)
          } else {
            refusals.append(.surplus(place))
          }
          continue
        }
        if case .cancel = order.task {
          let ended = places.filter(\.order.task.begins) + line.removeBeginnings()
          places.removeAll(where: \.order.task.begins)
          for place in ended { refusals.appendCancelled(.cancelled(place)) }
        } else if session.reportable?.printState != "printing",
          count < Self.mostWaiting + Self.mostPauses
        {
          // There is nothing to pause yet: the start or the resume that it means has its turn first.
          if places.contains(where: \.order.task.begins) {
            places.append(place)
            continue
          }
          if line.insertBehindBeginnings(place) { continue }
        }
        guard line.overtakingCount < Self.mostOvertaking else {
          refusals.append(.surplus(place))
          continue
        }
        let number = line.beginOvertaking()
        group.addTask {
          await runner.execute(order, in: contact)
          line.endOvertaking(number)
        }
      }
    }
    line.append(places)
    if unreadable > Self.mostLines {
      runner.drop("\(unreadable - Self.mostLines) more elements of the same answer")
    }
    let dropped = refusals.takeDropped()
    if dropped > 0 {
      context.log(
        .warning,
        "\(dropped) commands that are refused get no answer: \(RefusalLine.most) wait for theirs")
    }
  }

  private func work(through line: WaitingLine) async {
    while let (order, contact) = await line.next() {
      await runner.execute(order, in: contact)
      line.ended(order)
    }
  }

  private func work(through refusals: RefusalLine) async {
    var count = 0
    while true {
      if refusals.isEmpty {
        if count > Self.mostLines {
          context.log(.warning, "\(count - Self.mostLines) more commands were refused")
        }
        count = 0
      }
      guard let refusal = await refusals.next() else { return }
      if count.isMultiple(of: 16) { await waitForRoom() }
      count += 1
      await runner.refuse(refusal, isLogged: count <= Self.mostLines)
      // Where it was only given up, it is answered at the end.
      guard !Task.isCancelled else { return }
      refusals.ended()
    }
  }

  /// Waits until what is put into the outbox pushes nothing out of it, and until the disk answers.
  private func waitForRoom() async {
    while !Task.isCancelled, await context.outbox.isHalfFull {
      try? await context.time.sleep(for: .milliseconds(250))
    }
  }
}
