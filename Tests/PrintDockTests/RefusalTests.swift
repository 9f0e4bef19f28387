import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import PrintDock

@Suite("PrintDock's commands, refused", .timeLimit(.minutes(2))) struct RefusalTests {
  private func command(_ id: Int, _ action: String, _ params: String = "{}") -> String {
    PaperCloud.command(id, action, params)
  }
  private func start(_ id: Int) -> String {
    command(id, "start_print", #"{"filename":"a.gcode"}"#)
  }
  private func told(_ bench: TestBench, _ id: Int) -> [String?] {
    bench.calls("complete").filter { $0.path == "/api/v1/commands/\(id)/complete" }
      .map { $0.json["error_message"]?.string }
  }
  private let cancelled = "not executed: a cancel came before its turn"

  @Test("A start that a cancel took out is told the same when it is handed out again")
  func again() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let homed = Gate()
    bench.gateway.answer { request in
      if request.wireName == "homing" { await homed.wait() }
      return .done()
    }
    cloud.hand(command(1, "homing"), start(2), command(3, "cancel"))
    try await bench.serve {
      await bench.pass { bench.completions.count == 2 }
      homed.open()
      await bench.pass { bench.completions.count == 3 }
      cloud.hand(start(2))
      await bench.pass { bench.completions.count == 4 }
    }
    #expect(told(bench, 2) == [cancelled, cancelled])
    #expect(bench.gateway.refused.map(\.id) == ["2"])
  }

  @Test(
    "While nothing can be put into the outbox, a start that was taken out is not executed either")
  func heldBack() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    for number in 0..<250 {
      await bench.outbox.put(OwedItem(key: "o\(number)", kind: "x", body: [:]))
    }
    cloud.answer("complete", 503)
    let homed = Gate()
    bench.gateway.answer { request in
      if request.wireName == "homing" { await homed.wait() }
      return .done()
    }
    cloud.hand(command(1, "homing"), start(2), command(3, "cancel"))
    cloud.hand(start(2), command(4, "sync_files"))
    try await bench.serve {
      await bench.pass { bench.gateway.submitted.count == 2 }
      homed.open()
      await bench.pass { bench.gateway.submitted.count == 3 }
      #expect(bench.gateway.submitted.map(\.id).sorted() == ["1", "3", "4"])
      #expect(bench.gateway.refused.isEmpty)
      cloud.answer("complete", nil)
      await bench.pass { !told(bench, 2).isEmpty }
      await bench.pass(.seconds(30))
    }
    #expect(told(bench, 2) == [cancelled])
  }

  @Test("Of a flood each command has one answer, the outbox stays half empty, and the log short")
  func flood() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let bad = (2_000..<2_020).map { #"{"id":\#($0),"printer_id":262,"action":"reboot"}"# }
    let dropped = (0..<20).map { "\($0)" }
    let good = (0..<500).map { command($0, "homing") }
    cloud.answer("complete", 503)
    cloud.hand((bad + dropped + good + [command(900, "pause")]).joined(separator: ","))
    try await bench.serve {
      await bench.pass { bench.gateway.submitted.count == CommandLoop.mostWaiting + 1 }
      await bench.pass(.seconds(5))
      #expect((250...400).contains(bench.outbox.entries.count))
      cloud.answer("complete", nil)
      await bench.pass { bench.gateway.refused.count == 400 && bench.outbox.entries.isEmpty }
    }
    let answered = bench.outbox.verdicts.filter { $0.verdict == .accept }.map(\.key)
    #expect(answered.count == 521)
    #expect(Set(answered) == Set((Array(0..<500) + Array(2_000..<2_020) + [900]).map { "\($0)" }))
    #expect(bench.gateway.submitted.contains { $0.id == "900" })
    let lines = bench.log.lines
    #expect(lines.count { $0.contains("too many commands are waiting") } <= 5)
    #expect(lines.contains { $0.contains("415 more commands were refused") })
    #expect(lines.contains { $0.contains("15 more elements of the same answer") })
  }

  // MARK: The line

  private func place(_ id: String, _ task: CommandTask = .pause) -> WaitingLine.Place {
    let contact = CommandContact(backend: "test", at: ManualTime().now, previous: nil)
    return WaitingLine().place(for: CommandOrder(id: id, task: task), contact)
  }

  @Test("The line of refusals is bounded; what a cancel took out goes first and is not dropped")
  func bounds() async {
    let line = RefusalLine()
    for number in 0..<RefusalLine.most { line.append(.surplus(place("\(number)"))) }
    #expect(line.takeDropped() == 0)
    line.append(.surplus(place("0")))
    #expect(line.takeDropped() == 0)
    line.append(.surplus(place("more")))
    #expect(line.takeDropped() == 1)
    line.appendCancelled(.cancelled(place("start")))
    #expect(line.takeDropped() == 1)
    #expect(!line.contains("\(RefusalLine.most - 1)") && !line.contains("more"))
    #expect(await line.next()?.id == "start")
    #expect(line.contains("start"))
    line.ended()
    #expect(!line.contains("start"))
    #expect(await line.next()?.id == "0")
    line.appendCancelled(.cancelled(place("late")))
    let rest = line.remaining()
    #expect(rest.first.map(\.id) == ["0", "late"])
    #expect(rest.others.map(\.id) == (1..<(RefusalLine.most - 1)).map { "\($0)" })
    #expect(line.isEmpty && !line.contains("0"))
  }

  @Test("A refused upload keeps nothing of the answer's bytes")
  func light() throws {
    let path = try #require(GCodePath("a.gcode"))
    let content = HeldContent(try JSONSlice(document: Array(#""RzI4""#.utf8)))
    _ = Refusal.surplus(place("1", .uploadFile(path, content)))
    #expect(content.take() == nil)
  }
}
