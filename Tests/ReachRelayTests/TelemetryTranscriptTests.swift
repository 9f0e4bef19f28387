import ConnectorKit
import JSON
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach bodies against recorded traffic") struct TelemetryTranscriptTests {
  @Test("A report of the same status is the recorded one, byte for byte")
  func telemetry() throws {
    let recorded = try Transcript.bodies("/api/reach-link/printer-data")
    #expect(recorded.count >= 12)
    for body in recorded {
      let status = try Self.status(body)
      let written = TelemetryBody(
        printerID: try #require(body["printerId"]?.string),
        token: Secret(try #require(body["token"]?.string)), chamber: nil, errors: []
      ).json(
        status, at: WallTime(millisecondsSinceEpoch: try #require(body["timestamp"]?.integer)))
      var expected = body
      if body["job"]?["state"] == "unknown", var job = body["job"]?.object {
        // Recorded of a cancelled job, which is idle for us.
        job["state"] = "idle"
        expected["job"] = .object(job)
      }
      #expect(Self.text(written) == Self.text(expected))
    }
  }

  @Test("A heartbeat with the same values is the recorded one, byte for byte")
  func heartbeat() throws {
    let recorded = try Transcript.bodies("/api/reach-link/register")
    #expect(recorded.count >= 10)
    for body in recorded {
      let written = RelayBodies.heartbeat(
        printerID: try #require(body["printerId"]?.string),
        token: Secret(try #require(body["token"]?.string)),
        at: WallTime(millisecondsSinceEpoch: try #require(body["timestamp"]?.integer)),
        uptime: .seconds(try #require(body["uptime"]?.integer)),
        agentVersion: try #require(body["version"]?.string),
        localAddress: try #require(body["printerIPAddress"]?.string))
      #expect(Self.text(written) == Self.text(body))
    }
  }

  @Test("A claim with the same values is the recorded one but for the host's name")
  func claim() throws {
    let body = try #require(try Transcript.bodies("/api/reach-link/pairing/claim").first)
    let written = RelayBodies.claim(
      code: Secret(try #require(body["pairingCode"]?.string)),
      agentVersion: try #require(body["agentVersion"]?.string),
      moonrakerAddress: try #require(body["moonrakerUrl"]?.string),
      localAddress: try #require(body["printerIPAddress"]?.string))
    var expected = body
    expected["hostname"] = .string(HostInformation.hostName)
    #expect(Self.text(written) == Self.text(expected))
  }

  private static func text(_ object: JSONObject) -> String {
    String(decoding: JSONValue.object(object).serialized(), as: UTF8.self)
  }

  /// A status from which the original agent would have made `body`.
  private static func status(_ body: JSONObject) throws -> PrinterStatus {
    let job = try #require(body["job"])
    let heat = try #require(body["temperatures"])
    let motion = try #require(body["motion"])
    let percent = try #require(job["progress"]?.double)
    let fraction = try #require(
      [percent / 100, (percent / 100).nextUp, (percent / 100).nextDown].first {
        $0 * 100 == percent
      })
    let states = ["idle": "standby", "unknown": "cancelled"]
    let state = try #require(job["state"]?.string)
    var status = PrinterStatus.ready(states[state] ?? state)
    status.objects["extruder"] = ["temperature": heat["nozzle"], "target": heat["nozzleTarget"]]
      .compactMapObject()
    status.objects["heater_bed"] = ["temperature": heat["bed"], "target": heat["bedTarget"]]
      .compactMapObject()
    status.objects["fan"] = ["speed": body["fans"]?["partCooling"] ?? nil]
    status.objects["toolhead"] = [
      "position": .array([motion["x"], motion["y"], motion["z"], 0].compactMap { $0 })
    ]
    status.objects["gcode_move"] = [
      "speed": motion["speed"], "speed_factor": motion["speedFactor"],
      "extrude_factor": motion["extrudeFactor"],
    ].compactMapObject()
    status.objects["virtual_sdcard"] = ["progress": .double(fraction), "file_position": 40_000]
    status.objects["print_stats"] = [
      "state": .string(states[state] ?? state), "filename": job["filename"] ?? nil,
      "filament_used": job["filamentUsed"] ?? nil,
      "total_duration": .double(try #require(job["totaltime"]?.double) + 0.7),
      "print_duration": .double(try duration(job, fraction)),
    ]
    return status
  }

  /// A print duration that is `elapsedTime` when truncated and yields the recorded `eta`.
  private static func duration(_ job: JSONValue, _ fraction: Double) throws -> Double {
    let elapsed = try #require(job["elapsedTime"]?.double)
    guard let eta = job["eta"]?.integer else { return elapsed == 0 ? 0 : elapsed + 0.3 }
    return try #require(
      stride(from: elapsed, to: elapsed + 1, by: 0.001).first {
        Int64($0 / fraction - $0) == eta
      })
  }
}

extension [String: JSONValue?] {
  fileprivate func compactMapObject() -> JSONObject {
    var object = JSONObject()
    for (key, value) in self { object[key] = value }
    return object
  }
}
