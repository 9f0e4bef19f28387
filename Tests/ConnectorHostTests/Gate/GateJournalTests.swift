import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Gate: journal") struct GateJournalTests {
  @Test("A command is written before it is sent, and its outcome and what is owed after")
  func order() {
    let bench = GateBench.ready()
    bench.printer.answersAtOnce(false)
    #expect(bench.submit(.home([])) == nil)
    #expect(bench.printer.sent == [.home([])])
    #expect(bench.row("1") == StoredCommand(digest: PrinterCommand.home([]).digest, outcome: nil))
    #expect(bench.owed.isEmpty)
    bench.printer.answer()
    bench.drain()
    #expect(bench.row("1")?.outcome == .done())
    #expect(bench.owed["a"]?.map(\.key) == ["1"])
    #expect(bench.nudged.withLock { $0 } == ["a"])
    #expect(bench.audit.records.withLock { $0.map(\.action) } == ["home"])
  }

  @Test("The same id again gets the stored answer and is not executed")
  func repeats() {
    let bench = GateBench.ready()
    #expect(bench.submit(.home([])) == .done())
    for restart in [false, true] {
      let bench =
        restart ? GateBench.ready(disk: bench.disk, printer: bench.printer) : bench
      bench.disk.contents.withLock { $0.outbox = [:] }
      let again = bench.submit(.home([]))
      #expect(again?.isRepeat == true)
      #expect(again?.status == .done)
      #expect(bench.printer.sent.count == 1)
      #expect(bench.owed["a"]?.count == 1)
      #expect(bench.row("1")?.outcome?.isRepeat == false)
    }
  }

  @Test("A repeat of a command that still runs joins it")
  func joins() {
    let bench = GateBench.ready()
    bench.printer.answersAtOnce(false)
    let first = bench.post(.home([]), id: "1")
    bench.drain()
    let second = bench.post(.home([]), id: "1")
    bench.drain()
    #expect(second.current == nil)
    bench.printer.answer()
    bench.drain()
    #expect(first.current == .done())
    #expect(second.current?.isRepeat == true)
    #expect(bench.printer.sent.count == 1)
  }

  @Test(
    "Another command under a known id is refused, and the first one's result stays",
    arguments: [false, true])
  func foreign(restart: Bool) {
    var bench = GateBench.ready()
    bench.submit(.home([]))
    if restart { bench = GateBench.ready(disk: bench.disk, printer: bench.printer) }
    let outcome = bench.submit(.home([.x]))
    #expect(outcome?.status == .refused)
    #expect(outcome?.reason == .invalid)
    #expect(bench.row("1")?.outcome == .done())
    #expect(bench.owed["a"]?.map(\.body) == [["status": "done"]])
  }

  @Test(
    "While the journal fails, only reads, pause, cancel and emergency stop are taken",
    arguments: [
      (PrinterCommand.home([]), "standby", false), (.fan(1), "printing", false),
      (.start(.of("a.gcode"), .person), "standby", false), (.listFiles, "standby", true),
      (.pause, "printing", true), (.cancel, "printing", true), (.emergencyStop, "printing", true),
      (.resume, "paused", false), (.deleteFile(.of("a.gcode")), "standby", false),
    ])
  func failing(command: PrinterCommand, state: String, isTaken: Bool) {
    let bench = GateBench.ready(state)
    bench.store.become(.failing)
    let outcome = bench.submit(command)
    #expect(outcome?.status == (isTaken ? .done : .refused))
    #expect(outcome?.reason == (isTaken ? .ok : .journal))
    #expect(bench.printer.sent.isEmpty != isTaken)
    // What is owed does not wait for the disk. (A look is not journalled, and owed none the less.)
    #expect(bench.direct.withLock { $0 } == ["1"])
    bench.submit(command, id: "2")
    #expect(bench.sink.lines.filter { $0.contains("cannot be written") }.count == 1)
  }

  @Test("What could not be written is written when the disk is well again")
  func recovers() {
    let bench = GateBench.ready("printing")
    bench.store.become(.failing)
    #expect(bench.submit(.pause) == .done())
    #expect(bench.gate.view.journalProblem != nil)
    #expect(bench.owed["a"]?.map(\.key) == ["1"])
    bench.disk.contents.withLock { $0.outbox = [:] }
    bench.store.become(.well)
    bench.advance(by: .seconds(31))
    #expect(bench.row("1")?.outcome == .done())
    #expect(bench.owed.isEmpty, "it was delivered, and is not owed again")
    #expect(bench.gate.view.journalProblem == nil)
    #expect(bench.submit(.pause)?.isRepeat == true)
    #expect(bench.printer.sent.count == 1)
  }

  @Test("An emergency stop goes out while the disk hangs, and is written later")
  func stopWhileHanging() {
    let bench = GateBench.ready("printing")
    bench.store.become(.hanging)
    #expect(bench.submit(.emergencyStop) == .done())
    #expect(bench.printer.sent == [.emergencyStop])
    bench.store.become(.well)
    bench.drain()
    #expect(bench.row("1")?.outcome == .done())
    #expect(bench.row("1")?.digest == PrinterCommand.emergencyStop.digest)
    #expect(bench.submit(.emergencyStop)?.isRepeat == true)
    #expect(bench.printer.sent.count == 1)
  }

  @Test(
    "Pause and cancel wait 250 ms for their row and no longer",
    arguments: [PrinterCommand.pause, .cancel])
  func urgent(command: PrinterCommand) {
    let bench = GateBench.ready("printing")
    bench.store.become(.hanging)
    let outcome = bench.post(command, id: "1")
    bench.drain()
    bench.advance(by: .milliseconds(249))
    #expect(bench.printer.sent.isEmpty)
    bench.advance(by: .milliseconds(1))
    #expect(bench.printer.sent == [command])
    #expect(outcome.current == .done())
    // The next one does not even wait for that.
    bench.print("printing")
    bench.submit(command, id: "2")
    #expect(bench.printer.sent.count == 2)
    bench.store.become(.well)
    bench.drain()
    #expect(bench.row("1")?.outcome == .done())
    #expect(bench.row("2")?.outcome == .done())
  }

  @Test("What moves is refused after 5 s without a row, and the row gets its end")
  func hangingStart() {
    let bench = GateBench.ready()
    bench.store.become(.hanging)
    let outcome = bench.post(.home([]), id: "1")
    bench.drain()
    bench.advance(by: .seconds(5))
    #expect(outcome.current?.reason == .journal)
    #expect(bench.printer.sent.isEmpty)
    #expect(bench.submit(.home([]), id: "2")?.reason == .journal)
    bench.store.become(.well)
    bench.drain()
    #expect(bench.rows.values.allSatisfy { $0.outcome?.status == .refused })
    #expect(bench.printer.sent.isEmpty)
  }

  @Test(
    "A crash at any point yields one outcome, one result, and never a second execution",
    arguments: 0..<60)
  func crash(after jobs: Int) {
    let disk = FakeDisk()
    let printer = FakePrinter()
    let first = GateBench.ready(disk: disk, printer: printer)
    _ = first.post(.home([]), id: "1")
    first.executor.run(jobs)
    first.die()
    let sentBefore = printer.sent.count
    disk.contents.withLock { $0.recover() }
    let second = GateBench.ready(disk: disk, printer: printer)
    let outcome = second.submit(.home([]))
    #expect(printer.sent.count <= 1)
    if sentBefore == 1 { #expect(outcome?.isRepeat == true) }
    #expect(outcome?.status == .done || outcome == .some(.interruptedRepeat))
    #expect(second.owed["a"]?.count == 1)
    #expect(second.row("1")?.outcome?.status == outcome?.status)
  }
}

extension CommandOutcome {
  static var interruptedRepeat: CommandOutcome {
    var outcome = CommandOutcome.interrupted
    outcome.isRepeat = true
    return outcome
  }
}
