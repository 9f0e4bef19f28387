import ConnectorKit
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("What every client of Moonraker may read") struct AgentDocumentTests {
  /// A daemon that has things to hide everywhere.
  static func view() -> DaemonView {
    let parked = BackendState.parked(
      problem: "no answer from http://hub.lan:8080/api?key=CANARY1 at 192.168.1.7",
      remedy: "see /etc/printer-uplink/CANARY2.token")
    var view = sampleView(backends: [
      sampleBackend("hub", parked, notes: ["writes to /home/pi/CANARY3"]),
      sampleBackend("reach", .online),
    ])
    view.configurationPath = "/home/CANARY4/printer-uplink.yaml"
    view.reloadProblem = "/home/CANARY5/c.yaml:3:4: relay: no URL"
    view.widenings = [
      WideningNotice(
        number: 1, at: WallTime(millisecondsSinceEpoch: 0), text: "relay was CANARY6")
    ]
    view.waiting = WaitingChanges(
      file: "CANARY15", changes: ["relay was CANARY16"],
      since: WallTime(millisecondsSinceEpoch: 0))
    view.commands = CommandsView(
      recent: [
        AuditRecord(
          at: WallTime(millisecondsSinceEpoch: 0), backend: "reach", commandID: "CANARY7",
          action: "pause", digest: "CANARY8",
          outcome: CommandOutcome(.failed, .transfer, "GET https://CANARY9/"), latency: .zero)
      ],
      bed: CommandsView.Bed(isClear: false, by: "the end of CANARY17 part.gcode"),
      readOnly: CommandsView.ReadOnly(isOn: true, by: "the page (CANARY11 192.168.1.9)"),
      journalProblem: "/var/lib/CANARY12: disk full", auditProblem: "CANARY13",
      owed: ["hub": CommandsView.Owed(count: 2, problem: "CANARY14")])
    return view
  }

  @Test("is the status without addresses, files, ids and other people's words")
  func hidden() {
    let view = Self.view()
    #expect("\(StatusDocument.make(view))".contains("CANARY"), "there is something to hide")
    for document in [
      StatusDocument.status(forAgents: view), StatusDocument.backends(forAgents: view),
    ] {
      let text = String(decoding: document.serialized(), as: UTF8.self)
      #expect(!text.contains("CANARY"))
      #expect(!text.contains("192.168"))
      #expect(!text.contains("/home"))
    }
  }

  static func keys(_ value: JSONValue, _ path: String = "") -> Set<String> {
    var found: Set<String> = []
    for (key, value) in value.object ?? [:] {
      found.insert(path + key)
      found.formUnion(keys(value, path + key + "."))
    }
    return found
  }

  @Test("has every key of the status, and what may be known of it")
  func same() throws {
    let view = Self.view()
    let (whole, shared) = (StatusDocument.make(view), StatusDocument.status(forAgents: view))
    #expect(Self.keys(whole) == Self.keys(shared))
    for key in ["name", "condition", "klippy", "job", "temperatures", "updated_at"] {
      #expect(shared["printer"]?[key] == whole["printer"]?[key])
    }
    #expect(shared["printer"]?["moonraker"]?["condition"] == "connected to (address)")
    #expect(shared["commands"]?["bed"]?["by"] == "the end of a job")
    #expect(shared["commands"]?["read_only"]?["by"] == "the page")
    #expect(shared["commands"]?["last"]?.array?.first?["action"] == "pause")
    #expect(shared["program"]?["configuration"] == .null)
    let hub = try #require(shared["backends"]?.array?.first)
    #expect(hub["state"] == "parked")
    #expect(hub["problem"] == "no answer from (address) at (address)")
    #expect(hub["remedy"] == "see (file)")
    let backends = StatusDocument.backends(forAgents: view)
    #expect(backends["backends"] == shared["backends"])
    #expect(backends["version"] == shared["version"])
  }

  @Test(
    "words about a cloud lose what tells of the house",
    arguments: [
      (
        "relay.reach3d.com does not answer (timeout)", "relay.reach3d.com does not answer (timeout)"
      ),
      (
        "HTTP 401: the token was revoked; pair it again.",
        "HTTP 401: the token was revoked; pair it again."
      ),
      ("at 10.0.0.1:7125, or", "at (address), or"), ("fe80::1%eth0 is gone", "(address) is gone"),
      ("'https://u:p@x/y'", "'(address)'"), ("ask me@home.example now", "ask (address) now"),
      ("~/printer_data/x and token_file: /a/b.c.", "(file) and token_file: (file)."),
      ("version 1.2.3 at 12:30:05", "version 1.2.3 at 12:30:05"), ("a / b", "a / b"), ("", ""),
      ("x\n\u{1B}[2J", "x [2J"),
    ])
  func words(text: String, shown: String) { #expect(PublicText.of(text) == shown) }
}
