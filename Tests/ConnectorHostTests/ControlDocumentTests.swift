import ConnectorKit
import Foundation
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("The status document") struct ControlDocumentTests {
  private let soon = MonotonicInstant(sinceOrigin: .seconds(10_012))

  @Test("It shows printer, job and temperatures in the order of interest")
  func printer() throws {
    let document = StatusDocument.make(sampleView())
    #expect(document["version"]?.integer == 1)
    let printer = try #require(document["printer"])
    #expect(printer["name"]?.string == "Voron 2.4")
    #expect(printer["condition"]?.string == "printing")
    #expect(printer["updated_seconds_ago"]?.double == 0.3)
    #expect(printer["moonraker"]?["heard_seconds_ago"]?.double == 0.1)
    #expect(printer["job"]?["file"]?.string == "benchy.gcode")
    #expect(printer["job"]?["progress"]?.double == 0.427)
    #expect(printer["job"]?["layer"]?.integer == 12)
    let titles = printer["temperatures"]?.array?.map { $0["title"]?.string }
    #expect(titles == ["Extruder", "Extruder 1", "Bed", "raspberry"])
    #expect(printer["temperatures"]?.array?.last?["target"]?.isNull == true)
    #expect(document["program"]?["uptime_seconds"]?.double == 6_000)
  }

  @Test("What is unknown is null, whatever sits in the fields")
  func unknown() throws {
    let view = sampleView { status in
      status = PrinterStatus(
        startedAt: status.updatedAt, wallTime: WallTime(millisecondsSinceEpoch: 0))
      status.objects = [
        "print_stats": ["state": 7, "filename": [], "print_duration": "x", "info": nil],
        "virtual_sdcard": ["progress": 1e300], "extruder": ["temperature": nil],
        "heater_bed": [:], "heater_generic": ["temperature": 1],
      ]
    }
    let printer = try #require(StatusDocument.make(view)["printer"])
    #expect(printer["condition"]?.string == "away")
    #expect(printer["updated_at"]?.isNull == true)
    #expect(printer["job"]?["state"]?.isNull == true)
    #expect(printer["job"]?["file"]?.isNull == true)
    #expect(printer["job"]?["progress"]?.double == 1)
    #expect(printer["temperatures"]?.array?.count == 2)
  }

  @Test("A backend's trouble comes with what to do and when it tries again")
  func backends() throws {
    let document = StatusDocument.make(
      sampleView(backends: [
        sampleBackend("a", .parked(problem: "revoked", remedy: "pair again"), notes: ["note"]),
        sampleBackend("b", .backingOff(problem: "no route", until: soon)),
        sampleBackend("c", .degraded(problem: "slow", remedy: "")), sampleBackend("d", .online),
      ]))
    let backends = try #require(document["backends"]?.array)
    #expect(
      backends.map { $0["state"]?.string } == ["parked", "backing off", "degraded", "online"])
    #expect(backends.map { $0["problem"]?.string } == ["revoked", "no route", "slow", nil])
    #expect(backends.map { $0["remedy"]?.string } == ["pair again", nil, nil, nil])
    #expect(backends.map { $0["retry_in_seconds"]?.double } == [nil, 12, nil, nil])
    #expect(backends.first?["since_seconds"]?.double == 30)
    #expect(backends.first?["notes"] == ["note"])
  }

  @Test("Hostile texts come through as themselves, and as JSON only")
  func hostile() throws {
    let view = sampleView(backends: [
      sampleBackend(hostileText, .parked(problem: hostileText, remedy: hostileText))
    ]) { status in
      status.objects["print_stats"]?["filename"] = .string(hostileText)
      status.klippyMessage = hostileText
    }
    let bytes = StatusDocument.make(view).serialized()
    let parsed = try #require(
      try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    let printer = try #require(parsed["printer"] as? [String: Any])
    let job = try #require(printer["job"] as? [String: Any])
    #expect(job["file"] as? String == hostileText)
  }

  @Test(
    "Link, Klippy and job amount to one condition",
    arguments: [
      ("standby", "idle"), ("printing", "printing"), ("paused", "paused"),
      ("complete", "finished"), ("cancelled", "cancelled"), ("error", "failed"), ("new", "unknown"),
    ])
  func condition(_ state: String, _ expected: String) {
    var status = sampleView().status
    status.objects["print_stats"] = ["state": .string(state)]
    #expect(PrinterCondition(status).rawValue == expected)
    for klippy in [KlippyState.startup, .error, .shutdown, .disconnected] {
      status.klippy = klippy
      #expect(PrinterCondition(status).rawValue == klippy.rawValue)
    }
    status.link = .away(since: status.updatedAt)
    #expect(PrinterCondition(status) == .away)
  }
}
