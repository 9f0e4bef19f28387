import ConnectorKit
import JSON
import Platform
import Testing

@testable import ConnectorHost

/// Klipper tells of a command's effect up to 250 ms after its end.
@Suite("Gate: quick succession") struct GateSuccessionTests {
  private let bench = GateBench.ready()

  private func start() {
    #expect(bench.submit(.start(.of("x.gcode"), .person), id: "s") == .done())
  }

  @Test(
    "What follows from a start that was just accepted waits for the job to show",
    arguments: [PrinterCommand.pause, .cancel])
  func afterStart(command: PrinterCommand) {
    start()
    let outcome = bench.post(command, id: "1")
    bench.drain()
    #expect(outcome.current == nil)
    bench.advance(by: .milliseconds(250))
    bench.print("printing", "x.gcode")
    #expect(outcome.current == .done())
    #expect(bench.printer.sent.last == command)
  }

  @Test("A resume just after a pause, and a start just after a cancel, wait in their turn")
  func inTurn() {
    start()
    bench.print("printing", "x.gcode")
    #expect(bench.submit(.pause, id: "p") == .done())
    let resume = bench.post(.resume, id: "r")
    let behind = bench.post(.gcode("M117 x"), id: "g")
    bench.drain()
    #expect(resume.current == nil)
    #expect(behind.current == nil)
    bench.print("paused")
    #expect(resume.current == .done())
    #expect(behind.current == .done())
    #expect(bench.printer.sent.suffix(2) == [.resume, .gcode("M117 x")])
    bench.print("printing")
    #expect(bench.submit(.cancel, id: "c") == .done())
    let again = bench.post(.start(.of("x.gcode"), .person), id: "s2")
    bench.drain()
    #expect(again.current == nil)
    bench.print("cancelled")
    #expect(again.current == .done())
  }

  @Test("It waits for one second at the most, whatever else the printer tells")
  func limit() {
    start()
    let outcome = bench.post(.pause, id: "1")
    bench.drain()
    for temperature: JSONValue in [30.0, 40.0, 50.0] {
      bench.advance(by: .milliseconds(250))
      bench.update(["extruder": ["temperature": temperature]])
      #expect(outcome.current == nil)
    }
    bench.advance(by: .milliseconds(250))
    #expect(outcome.current?.reason == .wrongState)
    #expect(bench.printer.sent.count == 1)
  }

  @Test("Without a command of ours just before, the answer comes at once")
  func settled() {
    #expect(bench.submit(.pause, id: "1")?.reason == .wrongState)
    start()
    bench.advance(by: .milliseconds(1_500))
    #expect(bench.submit(.pause, id: "2")?.reason == .wrongState)
    #expect(bench.submit(.fan(1), id: "3") == .done())
    #expect(bench.submit(.resume, id: "4")?.reason == .wrongState)
  }

  @Test("An emergency stop does not wait, and ends what does")
  func stop() {
    start()
    bench.print("printing", "x.gcode")
    bench.submit(.pause, id: "p")
    let resume = bench.post(.resume, id: "r")
    bench.drain()
    #expect(bench.submit(.emergencyStop, id: "e") == .done())
    bench.print("paused")
    #expect(resume.current?.reason == .superseded)
    #expect(bench.printer.sent.last == .emergencyStop)
  }

  @Test("A pause that waited for the printer has its time for the disk all the same")
  func disk() {
    start()
    let outcome = bench.post(.pause, id: "1")
    bench.drain()
    bench.advance(by: .milliseconds(500))
    bench.print("printing", "x.gcode")
    #expect(outcome.current == .done())
    #expect(bench.gate.view.journalProblem == nil)
    #expect(bench.row("1")?.outcome == .done())
  }
}
