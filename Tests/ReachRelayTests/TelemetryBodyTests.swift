import ConnectorKit
import JSON
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach reports") struct TelemetryBodyTests {
  private static func json(_ status: PrinterStatus, chamber: String? = nil) -> JSONValue {
    .object(
      TelemetryBody(printerID: "p", token: Secret("t"), chamber: chamber, errors: []).json(
        status, at: status.updatedWallTime))
  }

  @Test(
    "A job's state follows print_stats, and Klippy's state where that is worse",
    arguments: [
      ("standby", KlippyState.ready, "idle"), ("complete", .ready, "idle"),
      ("cancelled", .ready, "idle"), ("printing", .ready, "printing"), ("paused", .ready, "paused"),
      ("error", .ready, "error"), ("dancing", .ready, "unknown"), ("printing", .shutdown, "error"),
      ("standby", .shutdown, "error"), ("standby", .error, "error"),
      ("printing", .startup, "unknown"), ("printing", .disconnected, "unknown"),
    ])
  func states(printState: String, klippy: KlippyState, expected: String) {
    var status = PrinterStatus.ready(printState)
    status.klippy = klippy
    #expect(Self.json(status)["job"]?["state"]?.string == expected)
  }

  @Test("Of a printer that is away every key is sent, with null for what nobody knows")
  func unknown() throws {
    var status = PrinterStatus.ready("printing", nozzleTarget: 200)
    status.link = .away(since: PrinterStatus.start)
    status.klippy = .disconnected
    status.isCurrent = false
    status.host = HostLoad(cpuPercent: 3, memoryPercent: 4, diskPercent: 5)
    let text = String(decoding: Self.json(status).serialized(), as: UTF8.self)
    #expect(
      text == """
        {"printerId":"p","token":"t","timestamp":1795162973000,\
        "temperatures":{"nozzle":null,"nozzleTarget":null,"bed":null,"bedTarget":null,"chamber":null},\
        "fans":{"partCooling":null},\
        "motion":{"x":null,"y":null,"z":null,"speed":null,"speedFactor":null,"extrudeFactor":null},\
        "job":{"filename":null,"progress":0.0,"eta":null,"elapsedTime":0,"state":"unknown",\
        "totaltime":0,"filamentUsed":null,"estimatedTime":null},\
        "systemHealth":{"cpuPercent":null,"memoryPercent":null,"diskPercent":null},\
        "errors":[],"logTail":[]}
        """)
  }

  @Test("What macros say stands in the log, with the time, and nothing else does")
  func messages() {
    let status = PrinterStatus.ready("printing")
    let message = PrinterMessage(
      number: 1, at: PrinterStatus.start, wallTime: status.updatedWallTime, text: "filament is out")
    let body = TelemetryBody(
      printerID: "p", token: Secret("t"), chamber: nil, errors: [], messages: [message]
    ).json(status, at: status.updatedWallTime)
    #expect(body["logTail"] == ["2026-11-20T08:22:53Z filament is out"])
    #expect(body["errors"] == [])
  }

  @Test("Values that were those of a printer before it went are never sent as new")
  func stale() {
    var status = PrinterStatus.ready("printing")
    status.isCurrent = false
    let body = Self.json(status)
    #expect(body["job"]?["state"] == "unknown")
    #expect(body["temperatures"]?["nozzle"]?.isNull == true)
  }

  @Test("A stopped Klippy whose objects are still told is reported with its temperatures")
  func stopped() {
    var status = PrinterStatus.ready("printing")
    status.klippy = .shutdown
    let body = Self.json(status)
    #expect(body["temperatures"]?["nozzle"] == 22.01)
    #expect(body["job"]?["eta"]?.isNull == true)
  }

  @Test("Progress leaves the file's header out, where the metadata tell it")
  func progress() {
    var status = PrinterStatus.ready("printing")
    #expect(Self.json(status)["job"]?["progress"] == 50.0)
    status.fileMetadata = [
      "filename": "a.gcode", "gcode_start_byte": 400, "gcode_end_byte": 800,
    ]
    #expect(Self.json(status)["job"]?["progress"] == 25.0)
    status.objects["virtual_sdcard"] = ["progress": 0.5, "file_position": 900]
    #expect(Self.json(status)["job"]?["progress"] == 100.0)
    status.objects["virtual_sdcard"] = ["progress": 0.5, "file_position": 100]
    #expect(Self.json(status)["job"]?["progress"] == 0.0)
    status.fileMetadata["filename"] = "another.gcode"
    #expect(Self.json(status)["job"]?["progress"] == 50.0)
    status.objects["virtual_sdcard"] = nil
    status.objects["display_status"] = ["progress": 0.75]
    #expect(Self.json(status)["job"]?["progress"] == 75.0)
    status.objects["display_status"] = nil
    #expect(Self.json(status)["job"]?["progress"] == 0.0)
  }

  @Test(
    "What remains comes from the slicer at first, then from the speed so far",
    arguments: [
      (0.02, 60.0, 1_000.0, 940), (0.02, 2_000.0, 1_000.0, 0), (0.5, 60.0, 1_000.0, 60),
      (0.5, 60.5, nil, 60), (0.02, 60.0, nil, 2_940), (0.01, 60.0, nil, nil), (0.5, 0.0, nil, nil),
      (0.0, 0.0, 90.5, 90), (1.0, 60.0, nil, 0),
    ] as [(Double, Double, Double?, Int64?)])
  func remaining(fraction: Double, printed: Double, estimate: Double?, expected: Int64?) {
    var status = PrinterStatus.ready("paused")
    status.objects["virtual_sdcard"]?["progress"] = .double(fraction)
    status.objects["print_stats"]?["print_duration"] = .double(printed)
    status.fileMetadata["estimated_time"] = estimate.map { .double($0) }
    let job = Self.json(status)["job"]
    #expect(job?["eta"]?.integer == expected)
    #expect(job?["eta"] == job?["estimatedTime"])
    status.objects["print_stats"]?["state"] = "complete"
    #expect(Self.json(status)["job"]?["eta"]?.isNull == true)
  }

  @Test("The chamber is the configured object, else the one that is called so")
  func chamber() {
    var status = PrinterStatus.ready("standby")
    func chamber(_ configured: String? = nil) -> JSONValue? {
      Self.json(status, chamber: configured)["temperatures"]?["chamber"]
    }
    #expect(chamber() == .null)
    status.objects["temperature_fan chamber"] = ["temperature": 31.0]
    #expect(chamber() == 31.0)
    status.objects["temperature_sensor chamber_top"] = ["temperature": 32.0]
    #expect(chamber() == 32.0)
    status.objects["heater_generic chamber"] = ["temperature": 33.0]
    #expect(chamber() == 33.0)
    status.objects["temperature_sensor enclosure"] = ["temperature": 34.0]
    #expect(chamber("temperature_sensor enclosure") == 34.0)
    #expect(chamber("temperature_sensor absent") == .null)
  }

  @Test("The nozzle is that of the extruder in use")
  func activeExtruder() {
    var status = PrinterStatus.ready("printing")
    status.objects["extruder1"] = ["temperature": 99.0, "target": 100.0]
    status.objects["toolhead"]?["extruder"] = "extruder1"
    #expect(Self.json(status)["temperatures"]?["nozzle"] == 99.0)
    status.objects["toolhead"]?["extruder"] = "extruder7"
    #expect(Self.json(status)["temperatures"]?["nozzle"] == 22.01)
  }

  @Test("The host's load is filled in, within 0 and 100")
  func health() {
    var status = PrinterStatus.ready("standby")
    status.host = HostLoad(cpuPercent: 12.5, memoryPercent: 101, diskPercent: -1)
    #expect(
      Self.json(status)["systemHealth"]
        == ["cpuPercent": 12.5, "memoryPercent": 100, "diskPercent": 0])
  }

  @Test("Fields of the wrong type, missing and beyond all bounds are null and drop nothing else")
  func nonsense() throws {
    var status = PrinterStatus.ready("printing")
    status.objects["extruder"] = [
      "temperature": "hot", "target": try JSONValue(parsing: Array("1e400".utf8)),
    ]
    status.objects["toolhead"] = ["position": [1.0, nil]]
    status.objects["print_stats"] = [
      "state": "printing", "print_duration": nil, "total_duration": 1e300, "filename": 7,
    ]
    let body = Self.json(status)
    #expect(body["temperatures"]?["nozzle"]?.isNull == true)
    #expect(body["temperatures"]?["nozzleTarget"]?.isNull == true)
    #expect(body["motion"]?["x"] == 1.0)
    #expect(body["motion"]?["y"]?.isNull == true)
    #expect(body["motion"]?["z"]?.isNull == true)
    #expect(body["job"]?["elapsedTime"] == 0)
    #expect(body["job"]?["totaltime"] == 0)
    #expect(body["job"]?["filename"]?.isNull == true)
    #expect(body["temperatures"]?["bed"] == 22.02)
  }

  @Test("Reports are due at the faster interval while the printer prints or heats")
  func busy() {
    #expect(PrinterReading(.ready("printing")).isBusy)
    #expect(PrinterReading(.ready("standby", nozzleTarget: 50)).isBusy)
    #expect(!PrinterReading(.ready("standby")).isBusy)
    #expect(!PrinterReading(.ready("paused")).isBusy)
    var stale = PrinterStatus.ready("printing", nozzleTarget: 50)
    stale.isCurrent = false
    #expect(!PrinterReading(stale).isBusy)
  }
}
