import ConnectorKit
import JSON
import Moonraker
import Platform
import Testing

@testable import ConnectorHost

@Suite("Gate: heaters") struct GateHeaterTests {
  private let bench = GateBench.ready()

  private func heat(_ id: String, _ celsius: Double) -> CommandOutcome? {
    bench.submit(.temperature(heater: "extruder", celsius: celsius), id: id)
  }

  @Test("Klipper is asked for its limits once, when the first command needs them")
  func once() {
    bench.printer.heaters(.success(["extruder": 250]))
    #expect(bench.submit(.fan(1), id: "0") == .done())
    #expect(bench.submit(.gcode("M117 x"), id: "1") == .done())
    #expect(bench.printer.heaterQuestions == 0)
    #expect(heat("2", 251)?.reason == .invalid)
    #expect(heat("3", 250) == .done())
    #expect(bench.submit(.gcode("M104 S251"), id: "4")?.reason == .invalid)
    #expect(bench.printer.heaterQuestions == 1)
  }

  @Test("Each start of Klippy and each connection may have other limits", arguments: [false, true])
  func again(isLink: Bool) {
    bench.printer.heaters(.success(["extruder": 250]))
    #expect(heat("1", 251)?.reason == .invalid)
    if isLink { bench.leave() } else { bench.klippy(.startup) }
    bench.come()
    bench.printer.heaters(.success(["extruder": 350]))
    #expect(heat("2", 350) == .done())
    #expect(bench.printer.heaterQuestions == 2)
  }

  @Test("Without an answer the common limits count, after 2 s, and the next command asks again")
  func silence() {
    bench.printer.heaters(nil)
    let outcome = bench.post(.temperature(heater: "extruder", celsius: 300), id: "1")
    bench.drain()
    #expect(outcome.current == nil)
    bench.advance(by: .seconds(2))
    #expect(outcome.current == .done())
    bench.printer.heaters(.failure(CommandFailure(.printerRefused, "no")))
    #expect(heat("2", 301)?.reason == .invalid)
    #expect(bench.printer.heaterQuestions == 2)
  }

  @Test("An answer that comes after Klippy has gone is not kept")
  func late() {
    let bench = bench
    bench.printer.heaters(.success(["extruder": 350]))
    let outcome = bench.post(.temperature(heater: "extruder", celsius: 350), id: "1")
    while bench.printer.heaterQuestions == 0 { bench.executor.run(1) }
    bench.cache.apply(.klippy(.startup, message: ""))
    bench.come()
    #expect(outcome.current != nil)
    bench.printer.heaters(.success(["extruder": 250]))
    #expect(heat("2", 251)?.reason == .invalid)
  }

  @Test("Power is switched off where all heaters are known to be cold")
  func power() {
    #expect(bench.submit(.power(device: "psu", isOn: false)) == .done())
    bench.klippy(.startup)
    bench.come()
    bench.printer.heaters(
      .success(["extruder": 250, "heater_bed": 120, "heater_generic chamber": 70]))
    let outcome = bench.submit(.power(device: "psu", isOn: false), id: "2")
    #expect(outcome?.reason == .wrongState)
    #expect(outcome?.message.contains("heater_generic chamber") == true)
    bench.update(["heater_generic chamber": ["temperature": 30.0, "target": 0.0]])
    #expect(bench.submit(.power(device: "psu", isOn: false), id: "3") == .done())
  }
}
