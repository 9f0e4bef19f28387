import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import PrintDock

@Suite("Heartbeat and snapshot bodies") struct EncoderTests {
  @Test("Heartbeats have the keys, types and values that the original sent")
  func heartbeats() throws {
    for exchange in try PrintDockFixture.exchanges("heartbeat") {
      let recorded = try #require(exchange["body"])
      let uptime = try #require(recorded["status"]?["uptime_seconds"]?.integer)
      let printer = try #require(recorded["printers"]?.array?.first)
      let body = HeartbeatEncoder.body(
        uptime: .seconds(uptime) + .milliseconds(999),
        printerID: try #require(printer["printer_id"]?.integer),
        isReachable: try #require(printer["reachable"]?.bool as Bool?) == true)
      #expect(try JSONValue(parsing: body) == recorded)
    }
  }

  @Test("Snapshots have the keys, types and values that the original sent for the same printer")
  func snapshots() throws {
    let time = ManualTime()
    for exchange in try PrintDockFixture.exchanges("snapshots") {
      let recorded = try #require(exchange["body"])
      let snapshot = try #require(recorded["snapshots"]?.array?.first)
      let result = try #require(snapshot["payload"]?["result"])
      let stamp = try #require(snapshot["captured_at"]?.string)
      let objects = try #require(result["status"]?.object)

      var status = PrinterStatus(startedAt: time.now, wallTime: time.wallTime)
      status.eventtime = result["eventtime"]?.number
      for (name, fields) in objects { status.objects[name] = fields.object }
      // The cache may hold more, for other connectors.
      status.objects["webhooks"] = ["state": "ready"]
      status.objects["fan"] = ["speed": 0.5]

      let encoder = SnapshotEncoder(
        printerID: try #require(snapshot["printer_id"]?.integer), hidesFilePath: false)
      let wallTime = try #require(WallTime(rfc3339: stamp))
      let body = try #require(encoder.body(of: status, at: time.now, wallTime: wallTime))
      #expect(try JSONValue(parsing: body) == recorded)
      // Numbers as they came, down to the last digit.
      for spelled in ["eventtime"] {
        let number = try #require(result[spelled]?.number)
        #expect(String(decoding: body, as: UTF8.self).contains(number.spelling))
      }
    }
  }

  @Test("An object that the printer lacks is empty, and a field that Klipper lacks is left out")
  func absent() throws {
    let time = ManualTime()
    var status = PrinterStatus(startedAt: time.now, wallTime: time.wallTime)
    let encoder = SnapshotEncoder(printerID: 1, hidesFilePath: false)
    #expect(encoder.body(of: status, at: time.now, wallTime: time.wallTime) == nil)
    status.eventtime = JSONNumber(5)
    status.objects["toolhead"] = ["homed_axes": "", "minimum_cruise_ratio": .null]
    status.objects["virtual_sdcard"] = ["file_path": .null, "progress": 0]
    let body = try #require(encoder.body(of: status, at: time.now, wallTime: time.wallTime))
    let objects = try JSONValue(parsing: body)["snapshots"]?.array?.first?["payload"]?["result"]?[
      "status"]
    #expect(
      objects == [
        "extruder": [:], "heater_bed": [:], "pause_resume": [:], "print_stats": [:],
        "toolhead": ["homed_axes": ""], "virtual_sdcard": ["file_path": nil, "progress": 0],
      ])
  }

  @Test("The path of the printed file is hidden on request, and only that")
  func hiding() throws {
    let time = ManualTime()
    let printer = StandInPrinter(time: time)
    printer.come()
    func card(_ hides: Bool) throws -> JSONValue? {
      let encoder = SnapshotEncoder(printerID: 1, hidesFilePath: hides)
      let body = try #require(
        encoder.body(of: printer.current, at: time.now, wallTime: time.wallTime))
      return try JSONValue(parsing: body)["snapshots"]?.array?.first?["payload"]?["result"]?[
        "status"]?["virtual_sdcard"]
    }
    #expect(try card(false) == ["file_path": "/home/pi/cube.gcode", "progress": 0.25])
    #expect(try card(true) == ["file_path": nil, "progress": 0.25])
  }

  @Test("captured_at is now, or the newest update's moment when that is more than a second ago")
  func capturedAt() {
    let time = ManualTime()
    let status = PrinterStatus(startedAt: time.now, wallTime: time.wallTime)
    let start = time.wallTime
    func stamp() -> WallTime {
      SnapshotEncoder.capturedAt(status, at: time.now, wallTime: time.wallTime)
    }
    #expect(stamp() == start)
    time.advance(by: .seconds(1))
    #expect(stamp() == time.wallTime)
    time.advance(by: .milliseconds(1))
    #expect(stamp() == start)
    time.advance(by: .seconds(30))
    #expect(stamp() == start)
    // A clock that is set in between moves the stamp with it, never the age.
    time.shiftWallClock(by: .seconds(3_600))
    #expect(stamp() == start.advanced(by: .seconds(3_600)))
  }

  @Test("What the connector reads of the printer is what the snapshot shows")
  func interest() {
    #expect(Set(SnapshotEncoder.interest.objects.keys) == Set(SnapshotEncoder.objects))
    #expect(SnapshotEncoder.interest.once == ["toolhead": ["estimated_print_time"]])
    guard case .named(let fields) = SnapshotEncoder.interest.objects["toolhead"] else {
      Issue.record("toolhead is subscribed as a whole")
      return
    }
    #expect(!fields.contains("estimated_print_time"))
  }
}

@Suite("Reachability") struct ReachabilityTests {
  let now = MonotonicInstant(sinceOrigin: .seconds(100))

  private func status(
    isUp: Bool = true, klippy: KlippyState = .ready, isCurrent: Bool = true
  ) -> PrinterStatus {
    var status = PrinterStatus(startedAt: now, wallTime: WallTime(millisecondsSinceEpoch: 0))
    if isUp { status.link = .connected }
    status.klippy = klippy
    status.isCurrent = isCurrent
    status.eventtime = JSONNumber(1)
    status.covered = SnapshotEncoder.interest
    return status
  }

  @Test(
    "Moonraker connected and heard within 15 s, Klippy connected: reachable",
    arguments: [
      KlippyState.startup, .ready, .error, .shutdown,
    ])
  func reachable(klippy: KlippyState) {
    let status = status(klippy: klippy)
    let heard = now.advanced(by: .milliseconds(-14_999))
    #expect(Reachability.isReachable(status, lastHeard: heard, at: now))
    #expect(Reachability.isReportable(status, lastHeard: heard, at: now))
  }

  @Test("Otherwise not, and then nothing is reported")
  func unreachable() {
    let heard = now.advanced(by: .seconds(-15))
    for (status, lastHeard) in [
      (status(), heard), (status(), nil), (status(isUp: false), now),
      (status(klippy: .disconnected), now),
    ] as [(PrinterStatus, MonotonicInstant?)] {
      #expect(!Reachability.isReachable(status, lastHeard: lastHeard, at: now))
      #expect(!Reachability.isReportable(status, lastHeard: lastHeard, at: now))
    }
  }

  @Test("Values that may be stale are not reported, though the printer is reachable")
  func stale() {
    let old = status(isCurrent: false)
    #expect(Reachability.isReachable(old, lastHeard: now, at: now))
    #expect(!Reachability.isReportable(old, lastHeard: now, at: now))
  }

  @Test("What other connectors have asked for is not reported as if it were all")
  func uncovered() {
    var others = status()
    for interest in [nil, StatusInterest(["print_stats": .named(["state"])])] {
      others.covered = interest
      #expect(Reachability.isReachable(others, lastHeard: now, at: now))
      #expect(!Reachability.isReportable(others, lastHeard: now, at: now))
    }
  }
}
