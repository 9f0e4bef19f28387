internal import ConnectorKit
internal import JSON
internal import Platform

/// Fetches PrintDock's commands and has them executed, for as long as it runs.
///
/// Fetching goes on while a command is under way, and while the disk hangs. Pause and cancel overtake; everything else
/// is submitted one after the other, in PrintDock's order, and behind what has overtaken it since before it came. What
/// a pause or a cancel is about may still wait for its turn: a pause then keeps its place behind it, and a cancel takes
/// it out.
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
    do {
      try await serve(line)
    } catch {
      // Only now nothing is put in any more: an answer may have come while all else was ending.
      for order in line.remaining() {
        await runner.refuse(order, "not executed: printer-uplink was stopped before its turn")
      }
      throw error
    }
  }

  private func serve(_ line: WaitingLine) async throws {
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
        if let contact { take(answer, contact, line, &group) }
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

  /// Gives everything that came its way, without waiting for anything: the disk may hang, and a cancel come next.
  private func take(
    _ answer: [ReceivedCommand], _ contact: CommandContact, _ line: WaitingLine,
    _ group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    var places: [WaitingLine.Place] = []
    var refused: [Completion] = []
    for received in answer {
      switch received {
      case .unreadable(let problem): runner.drop(problem)
      case .refused(let completion): refused.append(completion)
      case .order(let order):
        let place = line.place(for: order, contact)
        guard order.task.overtakes else {
          if line.count + places.count < Self.mostWaiting {
            places.append(place)
          } else {
            refused.append(.untried(order, "too many commands are waiting"))
          }
          continue
        }
        if case .cancel = order.task {
          let ended = places.filter(\.order.task.begins).map(\.order) + line.removeBeginnings()
          places.removeAll(where: \.order.task.begins)
          refused += ended.map { .untried($0, "not executed: a cancel came before its turn") }
        } else if session.reportable?.printState != "printing" {
          // There is nothing to pause yet: the start or the resume that it means has its turn first.
          if places.contains(where: \.order.task.begins) {
            places.append(place)
            continue
          }
          if line.insertBehindBeginnings(place) { continue }
        }
        let number = line.beginOvertaking()
        group.addTask {
          await runner.execute(order, in: contact)
          line.endOvertaking(number)
        }
      }
    }
    line.append(places)
    guard !refused.isEmpty else { return }
    group.addTask { [refused] in
      for completion in refused { await runner.refuse(completion) }
    }
  }

  private func work(through line: WaitingLine) async {
    while let (order, contact) = await line.next() {
      await runner.execute(order, in: contact)
      line.ended(order)
    }
  }
}
