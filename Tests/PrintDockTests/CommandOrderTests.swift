import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import PrintDock

@Suite("PrintDock's commands, their order", .timeLimit(.minutes(2))) struct CommandOrderTests {
  private func command(_ id: Int, _ action: String, _ params: String = "{}") -> String {
    PaperCloud.command(id, action, params)
  }
  private func start(_ id: Int) -> String {
    command(id, "start_print", #"{"filename":"a.gcode"}"#)
  }
  private func ids(_ bench: TestBench) -> [String] { bench.gateway.submitted.map(\.id) }
  private func told(_ bench: TestBench, _ id: Int) -> String? {
    bench.calls("complete").first { $0.path == "/api/v1/commands/\(id)/complete" }?
      .json["error_message"]?.string
  }

  @Test(
    "A cancel takes out the start or the resume before it, in its own answer and in another",
    arguments: [true, false])
  func cancelled(isOneAnswer: Bool) async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let homed = Gate()
    bench.gateway.answer { request in
      if request.wireName == "homing" { await homed.wait() }
      return .done()
    }
    let before = [command(1, "homing"), start(2), command(3, "resume"), command(4, "sync_files")]
    if isOneAnswer {
      cloud.hand((before + [command(5, "cancel"), start(6)]).joined(separator: ","))
    } else {
      cloud.hand(before.joined(separator: ","))
      cloud.hand(command(5, "cancel"), start(6))
    }
    try await bench.serve {
      await bench.pass { bench.completions.count == 3 }
      #expect(Set(ids(bench)) == ["1", "5"])
      homed.open()
      await bench.pass { bench.completions.count == 6 }
    }
    #expect(Array(ids(bench).suffix(2)) == ["4", "6"])
    for id in [2, 3] { #expect(told(bench, id) == "not executed: a cancel came before its turn") }
    #expect(told(bench, 6) == nil)
  }

  @Test(
    "What comes behind a pause or a cancel waits for its end, and what came before does not",
    arguments: [("cancel", "start_print"), ("pause", "resume")])
  func behind(first: String, second: String) async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    bench.printer.come(printState: "printing")
    let ended = Gate()
    bench.gateway.answer { request in
      if request.wireName == first { await ended.wait() }
      return .done()
    }
    cloud.hand(
      command(1, "sync_files"), command(2, first),
      command(3, second, #"{"filename":"a.gcode"}"#))
    try await bench.serve {
      await bench.pass { bench.completions.count == 1 }
      #expect(Set(ids(bench)) == ["1", "2"])
      ended.open()
      await bench.pass { bench.completions.count == 3 }
    }
    #expect(ids(bench).last == "3")
  }

  @Test(
    "A pause keeps its place behind the start or the resume that it means",
    arguments: ["start_print", "resume"], [true, false])
  func pauseInPlace(action: String, isOneAnswer: Bool) async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let begun = Gate()
    bench.gateway.answer { request in
      if request.wireName == action { await begun.wait() }
      return .done()
    }
    let beginning = command(1, action, #"{"filename":"a.gcode"}"#)
    if isOneAnswer {
      cloud.hand(beginning, command(2, "pause"))
    } else {
      cloud.hand(beginning)
      cloud.hand(command(2, "pause"), command(3, "sync_files"))
    }
    try await bench.serve {
      await bench.pass { ids(bench) == ["1"] }
      await bench.pass(.seconds(10))
      #expect(ids(bench) == ["1"])
      begun.open()
      await bench.pass { bench.completions.count == (isOneAnswer ? 2 : 3) }
    }
    #expect(ids(bench) == (isOneAnswer ? ["1", "2"] : ["1", "2", "3"]))
  }

  @Test("A pause of the job that runs overtakes a start that waits")
  func pauseOvertakes() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    bench.printer.come(printState: "printing")
    let listed = Gate()
    bench.gateway.answer { request in
      if request.wireName == "sync_files" { await listed.wait() }
      return .done()
    }
    cloud.hand(command(1, "sync_files"), start(2), command(3, "pause"))
    try await bench.serve {
      await bench.pass { bench.completions.count == 1 }
      #expect(Set(ids(bench)) == ["1", "3"])
      listed.open()
      await bench.pass { bench.completions.count == 3 }
    }
  }
}
