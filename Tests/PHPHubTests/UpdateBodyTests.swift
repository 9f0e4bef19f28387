import ConnectorKit
import JSON
import Platform
import Testing

@testable import PHPHub

@Suite("PHP hub: updates") struct UpdateBodyTests {
  private static let now = WallTime(millisecondsSinceEpoch: 1_795_162_973_000)

  private static func body(
    _ status: PrinterStatus, _ generation: Generation = .v1,
    _ more: [String: SettingValue] = [:], _ change: (inout UpdateBody) -> Void = { _ in }
  ) throws -> JSONObject {
    var body = UpdateBody(
      token: Secret("T"), rules: try configuration(more), generation: generation,
      uptime: .seconds(3_725), edits: nil, listing: FileListing(), lastCompleted: nil, image: nil,
      results: [])
    change(&body)
    return body.json(status, at: now)
  }

  @Test("Temperatures have one decimal, percents are rounded, progress is rounded down")
  func numbers() throws {
    let body = try Self.body(.sample("printing"))
    #expect(body["temp_hotend"] == 205.0 && body["temp_hotend_target"] == 205.0)
    #expect(body["temp_bed"] == 60.0 && body["temp_bed_target"] == 60.0)
    // The original cuts 1.15 to 114.
    #expect(body["print_speed"] == 115 && body["fan_speed"] == 50)
    #expect(body["progress"] == 25)
    #expect(body["current_file"] == "parts/cube.gcode")
    #expect(body["uptime"] == "1h 2m" && body["action"] == "update_printer")
    #expect(body["token"] == "T" && body["client_version"] == .string(Product.version))
    #expect(body["timestamp"]?.string?.hasSuffix("Z") == true)
  }

  @Test("A printer without fan, bed and speed reports zeros and its usual speed")
  func bare() throws {
    let body = try Self.body(
      .sample("standby") { $0.objects = ["print_stats": ["state": "standby"]] })
    #expect(body["fan_speed"] == 0 && body["print_speed"] == 100 && body["temp_bed"] == 0.0)
    #expect(body["progress"] == nil && body["current_file"] == nil && body["time_remaining"] == nil)
  }

  @Test("Hostile values of the printer become numbers that the hub can store")
  func hostile() throws {
    let body = try Self.body(
      .sample("printing") { status in
        status.objects["extruder"] = ["temperature": "hot", "target": 1e300]
        status.objects["fan"] = ["speed": -7]
        status.objects["gcode_move"] = ["speed_factor": 1e300]
        status.objects["display_status"] = ["progress": 7]
        status.objects["virtual_sdcard"] = ["progress": 1e-300]
        status.objects["print_stats"] = [
          "state": "printing", "filename": 3, "print_duration": 1e300,
        ]
      })
    #expect(body["temp_hotend"] == 0.0 && body["temp_hotend_target"] == 0.0)
    #expect(body["fan_speed"] == 0 && body["print_speed"] == 10_000 && body["progress"] == 100)
    #expect(body["current_file"] == "")
  }

  @Test(
    "The state is told in the words of each hub, first what is out of order",
    arguments: [
      ("printing", KlippyState.ready, true, "printing", "printing"),
      ("paused", .ready, true, "printing", "paused"),
      ("complete", .ready, true, "idle", "complete"),
      ("cancelled", .ready, true, "idle", "idle"), ("standby", .ready, true, "idle", "idle"),
      ("error", .ready, true, "error", "error"), ("what", .ready, true, "idle", "idle"),
      ("printing", .shutdown, true, "error", "error"), ("standby", .error, true, "error", "error"),
      ("printing", .startup, true, "offline", "offline"),
      ("printing", .disconnected, true, "offline", "offline"),
      ("printing", .ready, false, "offline", "offline"),
    ])
  func words(
    state: String, klippy: KlippyState, isConnected: Bool, first: String, second: String
  ) throws {
    let status = PrinterStatus.sample(state, klippy: klippy, isConnected: isConnected)
    #expect(try Self.body(status, .v1)["status"] == .string(first))
    #expect(try Self.body(status, .v2)["status"] == .string(second))
  }

  @Test("paused_status decides the first hub's word for a paused print")
  func paused() throws {
    let body = try Self.body(.sample("paused"), .v1, ["paused_status": .string("paused")])
    #expect(body["status"] == "paused" && body["progress"] == 25)
  }

  @Test(
    "Old temperatures are not told of a printer that is away, as the original does after a stop")
  func away() throws {
    let body = try Self.body(.sample("printing") { $0.isCurrent = false })
    #expect(body["status"] == "offline" && body["temp_hotend"] == 0.0 && body["progress"] == nil)
  }

  @Test(
    "The remaining time blends the slicer's word with the print's own pace",
    arguments: [
      (0.25, 600.0, 2_400.0, 1_800.0), (0.5, 600, 2_400, 900), (0, 0, 2_400, 2_400),
      (0.25, 600, nil, 1_800), (0.01, 600, nil, nil), (0.25, 59, nil, nil), (0, 600, nil, nil),
      (1, 600, 2_400, 0), (0.5, 600, 100, 325), (0.5, 600, -5, 600),
    ] as [(Double, Double, Double?, Double?)])
  func remaining(progress: Double, printed: Double, estimated: Double?, seconds: Double?) {
    #expect(
      RemainingTime(progress: progress, printed: printed, estimated: estimated).seconds == seconds)
  }

  @Test("Minutes for the first hub, seconds for the second, or as the owner says")
  func units() throws {
    let status = PrinterStatus.sample("printing")
    #expect(try Self.body(status, .v1)["time_remaining"] == 30)
    #expect(try Self.body(status, .v2)["time_remaining"] == 1_800)
    let minutes: [String: SettingValue] = ["time_remaining_unit": .string("minutes")]
    #expect(try Self.body(status, .v2, minutes)["time_remaining"] == 30)
    let seconds: [String: SettingValue] = ["time_remaining_unit": .string("seconds")]
    #expect(try Self.body(status, .v1, seconds)["time_remaining"] == 1_800)
  }

  @Test("The host's load: used memory in MB, and no temperature where there is none")
  func system() throws {
    var host = HostLoad(cpuPercent: 12.345)
    host.memoryUsed = 524_800
    var body = try Self.body(.sample { $0.host = host })
    #expect(body["system"] == ["cpu_usage": 12.3, "memory_usage": 512.5])
    host.cpuTemperature = 41.26
    body = try Self.body(.sample { $0.host = host })
    #expect(body["system"]?["cpu_temp"] == 41.3)
  }

  @Test("The newest fifty files, from Moonraker's list, with sizes as people write them")
  func files() throws {
    let rows = (0..<60).map { number -> JSONValue in
      [
        "path": .string("f\(number).gcode"), "size": .integer(1_536 * number),
        "modified": .integer(number),
      ]
    }
    let listing = FileListing(.array(rows + [3, "x", ["size": 1], ["path": "../x"]]))
    #expect(listing.files.count == 60)
    let body = try Self.body(.sample()) { $0.listing = listing }
    let told = try #require(body["files"]?.array)
    #expect(told.count == 50 && told.first?["name"] == "f59.gcode")
    #expect(told.first?["size"] == "88.5 KB" && told.first?["modified"] == 59.0)
    #expect(FileListing.size(0) == "0.0 B" && FileListing.size(1_572_864) == "1.5 MB")
    #expect(FileListing.size(5 << 30) == "5.0 GB" && FileListing.size(3 << 40) == "3.0 TB")
  }

  @Test("A G-code file in the folder ends nothing: Moonraker's list is read as the list that it is")
  func listIsNoMap() {
    #expect(FileListing(.of("{\"result\":{}}")).files.isEmpty)
    #expect(
      FileListing(.of("[{\"path\":\"a.gcode\",\"size\":\"1\",\"modified\":null}]")).files.count == 1
    )
    #expect(FileListing(nil).files.isEmpty && FileListing(.null).files.isEmpty)
  }

  @Test("Only the newest completed print counts as the last one, in this host's time")
  func lastCompleted() throws {
    let history = JSONValue.of(
      """
      {"jobs":[{"status":"cancelled","filename":"c.gcode","end_time":1795170000},
       {"status":"in_progress","filename":"d.gcode","end_time":null},
       {"status":"completed","filename":"b.gcode","end_time":1795162440.5},
       {"status":"completed","filename":"a.gcode","end_time":1795160000}, 7, {"status":"completed"}]}
      """)
    let job = try #require(CompletedJob(history))
    #expect(job.filename == "b.gcode")
    let local = WallTime(millisecondsSinceEpoch: 1_795_162_440_500).localStamp
    let body = try Self.body(.sample()) { $0.lastCompleted = job }
    #expect(body["last_completed"] == .string("b.gcode (\(local.dropFirst(11).prefix(5)))"))
    #expect(CompletedJob(.of("{\"jobs\":[]}")) == nil && CompletedJob(.null) == nil)
  }

  @Test("Names of files cannot be taken for HTML, unless the owner says so")
  func sanitizing() throws {
    let evil = "<img src=x>.gcode"
    func bodies(_ more: [String: SettingValue]) throws -> JSONObject {
      try Self.body(
        .sample("printing") { $0.objects["print_stats"]?["filename"] = .string(evil) }, .v1, more
      ) {
        $0.listing = FileListing(.array([["path": .string(evil), "size": 1, "modified": 1]]))
        $0.lastCompleted = CompletedJob(filename: evil, endedAt: 1_795_162_440)
      }
    }
    let clean = String(decoding: JSONValue.object(try bodies([:])).serialized(), as: UTF8.self)
    #expect(!clean.contains("<") && clean.contains("_img src=x_.gcode"))
    let raw = try bodies(["sanitize_names": .boolean(false)])
    #expect(raw["current_file"] == .string(evil))
  }

  @Test("What the owner says of the printer is told with each update")
  func card() throws {
    let body = try Self.body(
      .sample(), .v1,
      [
        "printer_name": .string("Lab 3"), "printer_data.tags": .list(["PETG"]),
        "printer_data.filament.material": .string("PETG"),
        "printer_data.filament.color": .string("Rojo"),
        "printer_data.filament.remaining": .number(12.5),
        "printer_data.bed_status": .string("perfecta"), "printer_data.location": .string("Aula 2"),
      ])
    #expect(body["name"] == "Lab 3" && body["tags"] == ["PETG"])
    #expect(body["filament"] == ["material": "PETG", "color": "Rojo", "remaining": 12.5])
    #expect(body["bed_status"] == "perfecta" && body["location"] == "Aula 2")
    #expect(try Self.body(.sample())["name"] == "Rig Uno")
  }

  @Test("What was edited on the hub's page is echoed, and the tags are left to it")
  func edits() throws {
    let edits = HubEdits([
      "printer": [
        "bed_status": "necesita limpieza", "tags": ["x"],
        "filament": ["material": "ABS", "color": "Azul", "remaining": "30", "evil": "<b>"],
      ]
    ])
    let body = try Self.body(.sample()) { $0.edits = edits }
    #expect(body["tags"] == [])
    #expect(body["bed_status"] == "necesita limpieza")
    #expect(body["filament"] == ["material": "ABS", "color": "Azul", "remaining": 30])
    #expect(HubEdits(["printer": []]) == nil && HubEdits([:]) == nil)
    let empty = try Self.body(.sample()) { $0.edits = HubEdits(["printer": ["filament": []]]) }
    #expect(empty["filament"]?["material"] == "PLA" && empty["bed_status"] == "limpia")
  }

  @Test("The host's load and the times are no news")
  func content() throws {
    var host = HostLoad(cpuPercent: 1)
    host.memoryUsed = 1
    let one = UpdateBody.content(try Self.body(.sample { $0.host = host }))
    let two = UpdateBody.content(try Self.body(.sample()) { $0.uptime = .seconds(9) })
    #expect(one == two && one["status"] == "idle")
  }

  @Test("Results are told where they are wanted")
  func results() throws {
    let report: JSONValue = ["id": "cmd_1", "status": "completed"]
    let told = try Self.body(.sample()) { $0.results = [report] }
    #expect(told["command_results"] == [report])
    let off = try Self.body(.sample(), .v1, ["report_command_results": .boolean(false)]) {
      $0.results = [report]
    }
    #expect(off["command_results"] == nil)
    #expect(try Self.body(.sample())["command_results"] == nil)
  }

  @Test("Updates hold the keys of the recorded ones, each of the same type, and in the same order")
  func transcript() throws {
    let recorded = try Transcript.updates()
    #expect(recorded.count > 20)
    for original in recorded {
      let state = original["progress"] == nil ? "standby" : "printing"
      var host = HostLoad(cpuPercent: 1)
      host.memoryUsed = 1_000_000
      host.cpuTemperature = 40
      let status = PrinterStatus.sample(state) { status in
        status.host = host
        status.objects["virtual_sdcard"] = ["progress": 0.5]
        status.objects["extruder"] = [
          "temperature": original["temp_hotend"] ?? 0,
          "target": original["temp_hotend_target"] ?? 0,
        ]
        status.objects["heater_bed"] = [
          "temperature": original["temp_bed"] ?? 0, "target": original["temp_bed_target"] ?? 0,
        ]
        status.objects["gcode_move"] = [
          "speed_factor": .double((original["print_speed"]?.double ?? 100) / 100)
        ]
        status.objects["fan"] = ["speed": .double((original["fan_speed"]?.double ?? 0) / 100)]
        status.objects["print_stats"]?["filename"] = original["current_file"] ?? ""
      }
      let rows = (original["files"]?.array ?? []).map { row -> JSONValue in
        ["path": row["name"] ?? "", "size": 1_000, "modified": row["modified"] ?? 0]
      }
      let ours = try Self.body(status) { body in
        body.listing = FileListing(.array(rows))
        body.lastCompleted =
          original["last_completed"] == nil ? nil : CompletedJob(filename: "x", endedAt: 1)
        body.image = original["image"]?.string
      }
      #expect(ours.keys == original.keys)
      for key in [
        "action", "status", "temp_hotend", "temp_bed", "temp_hotend_target", "temp_bed_target",
        "print_speed", "fan_speed", "current_file", "image", "tags", "filament", "bed_status",
      ] where original["bed_status"] == "limpia" || key != "bed_status" {
        #expect(ours[key] == original[key], "\(key)")
      }
      let names = { (body: JSONObject) in
        Set((body["files"]?.array ?? []).compactMap { $0["name"]?.string })
      }
      #expect(names(ours) == names(original))
    }
  }
}
