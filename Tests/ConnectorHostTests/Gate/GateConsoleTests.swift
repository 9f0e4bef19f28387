import ConnectorKit
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("Gate: a line of our own on the console") struct GateConsoleTests {
  /// Has the gate say it; what became of it, once that is known.
  func tell(_ bench: GateBench, _ backend: String = "reach") -> Promise<CommandFailure?> {
    let end = Promise<CommandFailure?>()
    Task(executorPreference: bench.executor) { [gate = bench.gate] in
      do throws(CommandFailure) {
        try await gate.tellConsole(parked: backend)
        end.resolve(nil)
      } catch {
        end.resolve(error)
      }
    }
    bench.drain()
    return end
  }

  @Test("Klipper is asked whether it can, and told once; no command of a cloud's notices")
  func told() {
    let bench = GateBench.ready()
    bench.printer.answersAtOnce(false)
    let end = tell(bench)
    #expect(bench.printer.sent.map(\.kind) == [.query])
    bench.printer.answer(.success(["RESPOND": "Echo the message", "G28": ""]))
    bench.drain()
    #expect(
      bench.printer.sent.last
        == .gcode(
          "RESPOND TYPE=command MSG=\"printer-uplink: reach waits for you, see printer-uplink status\""
        ))
    #expect(end.current == nil)
    #expect(bench.gate.hasUnfinished == false)
    #expect(bench.gate.view.busy == nil)
    bench.printer.answer()
    bench.drain()
    #expect(end.current == .some(nil))
    #expect(bench.printer.sent.count == 2)
  }

  @Test("without [respond] nothing is sent, and said what to add")
  func unknownWord() {
    let bench = GateBench.ready()
    bench.printer.answersAtOnce(false)
    let end = tell(bench)
    bench.printer.answer(.success(["G28": ""]))
    bench.drain()
    #expect(end.current??.message.contains("[respond]") == true)
    #expect(bench.printer.sent.count == 1)
  }

  @Test("an emergency stop goes out beside it, and keeps back what was not sent")
  func stopped() {
    let bench = GateBench.ready()
    bench.printer.answersAtOnce(false)
    let end = tell(bench)
    let stop = bench.post(.emergencyStop, id: "stop")
    bench.drain()
    #expect(bench.printer.sent.map(\.kind) == [.query, .emergencyStop])
    #expect(bench.gate.canTellConsole == false)
    bench.printer.answer(.success(["RESPOND": ""]))
    bench.drain()
    #expect(end.current??.reason == .wrongState)
    bench.printer.answer()
    bench.drain()
    #expect(stop.current?.status == .done)
    #expect(bench.printer.sent.count == 2)
  }

  @Test(
    "nothing is said while Klipper takes no G-code",
    arguments: [
      KlippyState.shutdown, .error, .startup, .disconnected,
    ])
  func notReady(state: KlippyState) {
    let bench = GateBench.ready()
    #expect(bench.gate.canTellConsole)
    bench.klippy(state)
    #expect(!bench.gate.canTellConsole)
    bench.leave()
    #expect(!bench.gate.canTellConsole)
  }

  @Test(
    "no name becomes more than a word between quotes",
    arguments: [
      "a\"; M112 ;\"", "a\nM112", "a\rM112", "x;y", "M112*1", "\\\"", "\u{2028}", "né",
    ])
  func quoting(name: String) {
    let line = ConsoleLine.parked(name)
    #expect(line.utf8.filter { $0 == UInt8(ascii: "\"") }.count == 2)
    #expect(line.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    #expect(!line.contains(";") && !line.contains("*") && !line.contains("\\"))
    #expect(line.hasPrefix("RESPOND TYPE=command MSG=\"printer-uplink: "))
    #expect(ConsoleLine.parked(String(repeating: "x", count: 10_000)).utf8.count < 160)
  }
}
