import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Gate: order of commands") struct GateFlowTests {
  private let bench = GateBench.ready()

  init() { bench.printer.answersAtOnce(false) }

  @Test("A second command of the same backend waits for its turn, another backend's is refused")
  func turns() {
    let first = bench.post(.home([]), id: "1")
    let second = bench.post(.gcode("G1 X1"), id: "2")
    bench.drain()
    #expect(bench.printer.sent == [.home([])])
    let other = bench.submit(.home([]), id: "1", of: "b")
    #expect(other?.reason == .busy)
    #expect(other?.message == "a is busy with home")
    bench.printer.answer()
    bench.drain()
    #expect(first.current == .done())
    #expect(second.current == nil)
    #expect(bench.printer.sent == [.home([]), .gcode("G1 X1")])
    bench.printer.answer()
    bench.drain()
    #expect(second.current == .done())
    #expect(bench.gate.view.busy == nil)
  }

  @Test(
    "What does not move goes out beside it",
    arguments: [
      PrinterCommand.fan(1), .speed(percent: 90), .listFiles, .emergencyStop,
    ])
  func beside(command: PrinterCommand) {
    bench.submit(.home([]))
    bench.submit(command, id: "2", of: "b")
    #expect(bench.printer.sent == [.home([]), command])
  }

  @Test("When its turn comes, the printer's state is looked at again")
  func looksAgain() {
    bench.submit(.home([]))
    let second = bench.post(.home([.x]), id: "2")
    bench.drain()
    bench.print("printing", "x.gcode")
    bench.printer.answer()
    bench.drain()
    #expect(second.current?.reason == .wrongState)
    #expect(bench.printer.sent.count == 1)
  }

  @Test("At most 32 wait")
  func full() {
    bench.submit(.home([]))
    let waiting = (0..<32).map { bench.post(.home([.x]), id: "w\($0)") }
    bench.drain()
    #expect(bench.gate.view.waiting == 32)
    #expect(bench.submit(.home([]), id: "last")?.reason == .busy)
    #expect(waiting.allSatisfy { $0.current == nil })
  }

  @Test("An emergency stop ends all that wait, and what has not been sent")
  func supersedes() {
    bench.submit(.home([]))
    let waiting = bench.post(.home([.x]), id: "2")
    bench.drain()
    let stop = bench.post(.emergencyStop, id: "s", of: "b")
    bench.drain()
    #expect(bench.printer.sent == [.home([]), .emergencyStop])
    #expect(waiting.current?.reason == .superseded)
    #expect(bench.submit(.home([]), id: "3", of: "a")?.reason == .superseded)
    bench.printer.answer(.failure(CommandFailure(.printerRefused, "shutdown")))
    bench.printer.answer()
    bench.drain()
    #expect(stop.current == .done())
    #expect(bench.row("1")?.outcome?.status == .failed)
    #expect(bench.printer.sent.count == 2)
  }

  @Test("A stop that comes while a row is being written keeps the command from being sent")
  func stopDuringBegin() {
    bench.store.become(.hanging)
    let home = bench.post(.home([]), id: "1")
    bench.drain()
    bench.submit(.emergencyStop, id: "s")
    bench.store.become(.well)
    bench.drain()
    #expect(home.current?.reason == .superseded)
    #expect(bench.printer.sent == [.emergencyStop])
  }

  @Test("A cancel ends starts and resumes that wait, and no others")
  func cancelEndsStarts() {
    bench.print("paused", "x.gcode")
    bench.submit(.gcode("M117 x"))
    let resume = bench.post(.resume, id: "2")
    let other = bench.post(.gcode("M117 y"), id: "3")
    bench.drain()
    bench.submit(.cancel, id: "4", of: "b")
    #expect(resume.current?.reason == .superseded)
    #expect(other.current == nil)
    #expect(bench.printer.sent == [.gcode("M117 x"), .cancel])
  }

  @Test("Of one answer 32 commands are taken; known ids take no place, and a stop always acts")
  func tooMany() {
    bench.printer.answersAtOnce(true)
    let contact = bench.entrance().contact()
    for number in 0..<32 {
      #expect(bench.submit(.fan(1), id: "\(number)", contact: contact) == .done())
    }
    #expect(bench.submit(.fan(1), id: "32", contact: contact)?.reason == .tooMany)
    #expect(bench.submit(.fan(1), id: "0", contact: contact)?.isRepeat == true)
    #expect(bench.submit(.emergencyStop, id: "s", contact: contact) == .done())
    #expect(bench.owed["a"]?.first { $0.key == "32" }?.isExpendable == true)
    #expect(bench.owed["a"]?.first { $0.key == "0" }?.isExpendable == false)
  }

  @Test("A stop that comes again after a flood of others stops nothing again")
  func stopAfterFlood() {
    bench.printer.answersAtOnce(true)
    #expect(bench.submit(.emergencyStop, id: "s") == .done())
    for number in 0..<300 {
      #expect(bench.submit(.fan(1), id: "\(number)") == .done())
      #expect(bench.submit(.fan(2), id: "r\(number)")?.reason == .invalid)
    }
    #expect(bench.submit(.emergencyStop, id: "s")?.isRepeat == true)
    #expect(bench.printer.sent.count { $0 == .emergencyStop } == 1)
  }

  @Test("Read-only lets looks and stops pass, and survives a kill")
  func readOnly() {
    bench.printer.answersAtOnce(true)
    for round in 0..<2 {
      let bench = round == 0 ? bench : GateBench.ready("printing", disk: bench.disk)
      if round == 0 {
        let gate = bench.gate
        Task(executorPreference: bench.executor) { try await gate.setReadOnly(true, by: "page") }
        bench.drain()
      }
      #expect(bench.gate.view.readOnly.isOn)
      #expect(bench.gate.view.readOnly.by == "page")
      #expect(bench.submit(.fan(1), id: "1\(round)")?.reason == .readOnly)
      #expect(bench.submit(.pause, id: "2\(round)")?.reason == .readOnly)
      #expect(bench.submit(.listFiles, id: "3\(round)") == .done())
      #expect(bench.submit(.emergencyStop, id: "4\(round)") == .done())
    }
  }

  @Test("After the first gap in contact nothing moves; the next answer is fresh")
  func gap() {
    bench.printer.answersAtOnce(true)
    let entrance = bench.gate.entrance(
      of: "new", CommandPolicy(permissions: PermissionLevel.full.permissions))
    let first = entrance.contact()
    #expect(bench.submit(.home([]), id: "1", of: "new", contact: first)?.reason == .stale)
    #expect(bench.submit(.home([]), id: "2", of: "new", contact: entrance.contact()) == .done())
    bench.advance(by: .seconds(121))
    #expect(
      bench.submit(.home([]), id: "3", of: "new", contact: entrance.contact())?.reason == .stale)
  }

  @Test("What waited at its backend for too long before it was submitted moves nothing")
  func waitedBefore() {
    bench.printer.answersAtOnce(true)
    let contact = bench.entrance().contact()
    bench.advance(by: .seconds(121))
    #expect(bench.submit(.home([]), id: "1", contact: contact)?.reason == .stale)
    #expect(bench.submit(.home([]), id: "2", age: .seconds(1), contact: contact)?.reason == .stale)
    #expect(bench.submit(.fan(1), id: "3", contact: contact) == .done())
    #expect(bench.printer.sent == [.fan(1)])
  }

  @Test("A command of tomorrow is as old as the gap: one of the two clocks is wrong")
  func fromTomorrow() {
    bench.printer.answersAtOnce(true)
    let entrance = bench.gate.entrance(
      of: "new", CommandPolicy(permissions: PermissionLevel.full.permissions))
    let first = entrance.contact()
    let age = Duration.seconds(-86_400)
    #expect(
      bench.submit(.home([]), id: "1", of: "new", age: age, contact: first)?.reason == .stale)
    let second = entrance.contact()
    #expect(bench.submit(.home([]), id: "2", of: "new", age: age, contact: second) == .done())
  }

  @Test("Rules that a reload narrows count for what has not been sent")
  func narrowed() {
    bench.printer.answersAtOnce(true)
    let fetched = Gate()
    let start = PrinterCommand.start(.of("x.gcode"), .person)
    let outcome = bench.post(
      start, id: "1",
      work: { _ throws(CommandFailure) in
        await fetched.wait()
        return nil
      })
    bench.drain()
    bench.entrance().policy = CommandPolicy(permissions: PermissionLevel.monitor.permissions)
    fetched.open()
    bench.drain()
    #expect(outcome.current?.reason == .notPermitted)
    #expect(bench.printer.sent.isEmpty)
  }

  @Test("A late cancel does not end a job that began after the gap")
  func lateCancel() {
    bench.printer.answersAtOnce(true)
    _ = bench.entrance().contact()
    bench.advance(by: .seconds(500))
    bench.print("printing", "x.gcode")
    bench.advance(by: .seconds(5))
    let contact = bench.entrance().contact()
    #expect(bench.submit(.cancel, id: "1", contact: contact)?.reason == .stale)
    #expect(bench.submit(.pause, id: "2") == .done())
  }

  @Test(
    "A lost answer is unknown; at the limit the printer's state decides",
    arguments: [
      (PrinterCommand.pause, "printing", "paused", 300, CommandOutcome.Status.done),
      (.pause, "printing", "printing", 300, .unknown), (.cancel, "paused", "cancelled", 300, .done),
      (.resume, "paused", "paused", 300, .unknown),
      (.home([]), "standby", "standby", 600, .unknown),
      (.start(.of("x.gcode"), .person), "standby", "printing", 600, .done),
      (.gcode("M117 x"), "standby", "standby", 600, .unknown),
    ])
  func limit(
    command: PrinterCommand, before: String, after: String, seconds: Int,
    status: CommandOutcome.Status
  ) {
    bench.print(before, "x.gcode")
    let outcome = bench.post(command, id: "1")
    bench.drain()
    bench.advance(by: .seconds(seconds - 1))
    bench.print(after, "x.gcode")
    #expect(outcome.current == nil)
    bench.advance(by: .seconds(1))
    #expect(outcome.current?.status == status)
    #expect(bench.printer.sent.count == 1)
    #expect(bench.gate.view.busy == nil)
    if status == .unknown {
      #expect(outcome.current?.reason == .timeout)
      #expect(
        outcome.current?.message
          == "no answer from Klipper after \(seconds) s; it may still happen")
    }
  }

  @Test("A connection that is lost under way leaves an unknown outcome")
  func lost() {
    let outcome = bench.post(.home([]), id: "1")
    bench.drain()
    bench.printer.answer(
      .failure(CommandFailure(.notConnected, "the connection was lost", mayHaveHappened: true)))
    bench.drain()
    #expect(outcome.current?.status == .unknown)
    #expect(outcome.current?.reason == .interrupted)
  }

  @Test("At the end, what runs has its time, then it is unknown; what waits may come again")
  func finish() {
    let home = bench.post(.home([]), id: "1")
    let waiting = bench.post(.home([.x]), id: "2")
    bench.drain()
    let isOver = Promise<Void>()
    let gate = bench.gate
    Task(executorPreference: bench.executor) {
      await gate.finish(within: .milliseconds(1_500))
      isOver.resolve(())
    }
    bench.drain()
    #expect(waiting.current?.reason == .interrupted)
    #expect(waiting.current?.status == .refused)
    #expect(bench.row("2") == nil)
    #expect(bench.submit(.fan(1), id: "3")?.status == .refused)
    #expect(home.current == nil)
    bench.advance(by: .milliseconds(1_500))
    #expect(home.current == .interrupted)
    #expect(bench.row("1")?.outcome == .interrupted)
    #expect(isOver.current != nil)
    bench.printer.answer()
    bench.drain()
    #expect(bench.row("1")?.outcome == .interrupted)
    #expect(bench.owed["a"]?.filter { $0.key == "1" }.count == 1)
  }

  @Test("The end does not wait for a disk that hangs")
  func finishHanging() {
    bench.submit(.home([]))
    bench.store.become(.hanging)
    let isOver = Promise<Void>()
    let gate = bench.gate
    Task(executorPreference: bench.executor) {
      await gate.finish(within: .milliseconds(1_500))
      isOver.resolve(())
    }
    bench.drain()
    bench.advance(by: .milliseconds(1_500))
    bench.advance(by: .milliseconds(1_500))
    #expect(isOver.current != nil)
  }

  @Test("A backend that is gone takes nothing back")
  func cancelled() {
    let gate = bench.gate
    let entrance = bench.entrance()
    let contact = entrance.contact()
    let outcome = Promise<CommandOutcome>()
    let task = Task(executorPreference: bench.executor) {
      outcome.resolve(
        await entrance.submit(
          CommandRequest(id: "1", wireName: "home", command: .home([])), in: contact, work: nil,
          owing: { OwedItem(key: "1", kind: "r", body: ["s": .string($0.status.rawValue)]) }))
    }
    bench.drain()
    task.cancel()
    bench.drain()
    #expect(outcome.current == .interrupted)
    #expect(gate.view.unfinished == 1)
    bench.printer.answer()
    bench.drain()
    #expect(bench.owed["a"]?.map(\.body) == [["s": "done"]])
  }
}
