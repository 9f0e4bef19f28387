import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@Suite("Status source") struct StatusSourceTests {
  @Test(
    "Who looks at one value gets the snapshots that change it, the first one in any case",
    .timeLimit(.minutes(1)))
  func changing() async throws {
    let printer = StandInPrinter(time: ManualTime())
    printer.come(printState: "printing")
    let states = printer.snapshots { $0.printState }
    #expect(await states.next()?.printState == "printing")
    printer.print("printing")  // The first that is compared: nothing to compare it with yet.
    #expect(await states.next()?.printState == "printing")
    printer.update { $0.objects["extruder", default: [:]]["temperature"] = 210 }
    printer.update { $0.objects["extruder", default: [:]]["temperature"] = 211 }
    #expect(states.skipped == 0)
    printer.print("paused")
    printer.update { $0.objects["extruder", default: [:]]["temperature"] = 212 }
    let paused = await states.next()
    #expect(paused?.printState == "paused")
    #expect(paused?.field("extruder", "temperature")?.double == 211)
    #expect(states.skipped == 0)
  }
}
