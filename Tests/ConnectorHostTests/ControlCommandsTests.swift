import ConnectorKit
import Foundation
import HTTPServer
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("Commands on the page, in the data and in the metrics") struct ControlCommandsTests {
  private let commands = CommandsView(
    recent: [
      sampleRecord("1"),
      sampleRecord("2", CommandOutcome(.refused, .stale), action: "start_print"),
    ],
    bed: .init(
      isClear: false, by: "the end of benchy.gcode",
      since: WallTime(millisecondsSinceEpoch: 1_795_252_000_000)),
    readOnly: .init(isOn: true, by: "the command line", since: nil),
    busy: .init(backend: "printdock", action: "home"), journalProblem: "disk full",
    auditProblem: nil, auditLost: 4,
    owed: ["reach": .init(count: 3, dropped: 2, problem: "disk full")])

  private func view(_ commands: CommandsView?) -> DaemonView {
    var view = sampleView(backends: [sampleBackend("reach", .online)])
    view.commands = commands
    return view
  }

  @Test("The document holds bed, switch, who is busy, what is owed, and the newest command first")
  func document() throws {
    let document = StatusDocument.make(view(commands))
    let gate = try #require(document["commands"])
    #expect(
      gate["bed"] == [
        "is_clear": false, "by": "the end of benchy.gcode", "since": "2026-11-21T09:06:40Z",
      ])
    #expect(gate["read_only"]?["is_on"]?.bool == true)
    #expect(gate["busy"] == ["backend": "printdock", "action": "home"])
    #expect(gate["journal_problem"]?.string == "disk full")
    #expect(gate["audit_problem"]?.isNull == true)
    #expect(gate["audit_lost"]?.integer == 4)
    #expect(gate["last"]?.array?.map { $0["id"]?.string } == ["2", "1"])
    let refused = try #require(gate["last"]?.array?.first)
    #expect(refused["status"]?.string == "refused")
    #expect(refused["reason"]?.string == "stale")
    #expect(refused["explanation"]?.string?.hasPrefix("it is too old") == true)
    #expect(refused["latency_ms"]?.integer == 12)
    let backend = try #require(document["backends"]?.array?.first)
    #expect(backend["owed"]?.integer == 3)
    #expect(backend["owed_dropped"]?.integer == 2)
    #expect(backend["owed_problem"]?.string == "disk full")
  }

  @Test("Without a gate all of it is null")
  func noGate() throws {
    let document = StatusDocument.make(view(nil))
    #expect(document["commands"]?.isNull == true)
    #expect(document["backends"]?.array?.first?["owed"]?.isNull == true)
    #expect(StatusDocument.commands(view(nil))["commands"]?.isNull == true)
    let page = String(decoding: PlainPage.document(view(nil)).body, as: UTF8.self)
    #expect(!page.contains("Last commands"))
    #expect(!MetricsText(view(nil)).text.contains("bed_clear"))
  }

  @Test("The status holds twenty commands, the list of its own all")
  func limits() throws {
    var many = commands
    many.recent = (0..<50).map { sampleRecord("\($0)") }
    let document = StatusDocument.make(view(many))
    #expect(document["commands"]?["last"]?.array?.count == 20)
    let all = StatusDocument.commands(view(many))
    #expect(all["commands"]?["last"]?.array?.count == 50)
    #expect(all["commands"]?["last"]?.array?.first?["id"]?.string == "49")
  }

  @Test("The metrics count what waits and what is missing")
  func metrics() {
    let text = MetricsText(view(commands)).text
    for line in [
      "printer_uplink_bed_clear 0\n", "printer_uplink_read_only 1\n",
      "printer_uplink_journal_writable 0\n", "printer_uplink_audit_lost_total 4\n",
      "printer_uplink_owed_results{backend=\"reach\"} 3\n",
      "printer_uplink_owed_results_dropped_total{backend=\"reach\"} 2\n",
    ] {
      #expect(text.contains(line))
    }
  }

  @Test("A journal that cannot be written makes the daemon unwell")
  func health() {
    #expect(HealthReport(view(commands)).text == "commands: disk full")
    #expect(HealthReport(view(commands)).status == 503)
    #expect(HealthReport(view(CommandsView())).status == 200)
  }

  @Test("The plain page says the same in words, and loads nothing")
  func plain() {
    let answer = PlainPage.document(view(commands))
    let page = String(decoding: answer.body, as: UTF8.self)
    for text in [
      "Voron 2.4", "The bed counts as occupied (the end of benchy.gcode) since ",
      "Read-only is on", "printdock holds the printer: home", "disk full", "start_print",
      "refused: it is too old", "3, 2 dropped, disk full",
    ] {
      #expect(page.contains(text))
    }
    #expect(!page.contains("<script"))
    #expect(
      answer.fields.contains {
        $0.name == "Content-Security-Policy" && $0.value.hasPrefix("default-src 'none'")
      })
  }

  @Test("Hostile texts stay texts on the plain page")
  func hostile() {
    var hostile = sampleView(backends: [
      sampleBackend(hostileText, .parked(problem: hostileText, remedy: hostileText))
    ])
    hostile.printerName = hostileText
    hostile.commands = CommandsView(
      recent: [
        sampleRecord(
          hostileText, CommandOutcome(.failed, .transfer, hostileText), backend: hostileText,
          action: hostileText)
      ], bed: .init(isClear: true, by: hostileText),
      busy: .init(backend: hostileText, action: hostileText),
      journalProblem: hostileText, auditProblem: hostileText,
      owed: [hostileText: .init(count: 1, problem: hostileText)])
    let page = String(decoding: PlainPage.document(hostile).body, as: UTF8.self)
    #expect(!page.contains("<script"))
    #expect(!page.contains("\u{1B}"))
    #expect(!page.contains("\u{202E}"))
    #expect(!page.contains("\0"))
    #expect(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"))
  }

  @Test("Every reason has words of its own")
  func words() {
    let words = CommandOutcome.Reason.allCases.filter { $0 != .ok }.map(\.words)
    #expect(words.allSatisfy { !$0.isEmpty })
    #expect(Set(words).count == words.count)
    #expect(CommandOutcome.done().explanation.isEmpty)
    #expect(CommandOutcome(.refused, .busy, "reach homes").explanation.hasSuffix(": reach homes"))
  }
}
