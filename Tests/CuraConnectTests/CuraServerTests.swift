import ConnectorKit
import HTTPServer
import JSON
import Platform
import TestSupport
import Testing

@testable import CuraConnect

@Suite("What Cura asks for", .serialized) struct CuraServerTests {
  private let gcode = Array(";FLAVOR:Marlin\nG28\nG1 X1\n".utf8)

  @Test("the printer is always listed, also while nothing is connected")
  func printers() async throws {
    let cura = try await CuraBench(["display_name": .string("Voron \"2.4\" <b>")])
    try await cura.run {
      let answer = try await cura.send("GET", "/cluster-api/v1/printers/")
      #expect(answer.status == 200)
      #expect(answer["Content-Type"] == "application/json")
      let printer = try #require(try JSONValue(parsing: answer.body).array?.first)
      #expect(printer["status"] == "unreachable")
      #expect(printer["friendly_name"] == "Voron \"2.4\" <b>")
      #expect(printer["machine_variant"] == "Ultimaker 3")
      // The address by which a proxy in front of us was called.
      #expect(printer["ip_address"] == "192.168.1.20")
      cura.bench.printer.come()
      let later = try await cura.send("GET", "/cluster-api/v1/printers")
      #expect(try JSONValue(parsing: later.body).array?.first?["status"] == "idle")
    }
  }

  @Test("a list is made once for each change, not for each request")
  func builds() async throws {
    let cura = try await CuraBench()
    try await cura.run {
      cura.bench.printer.come(printState: "printing")
      try await cura.settle(["pre_print"])
      let hub = cura.backend.hub
      _ = try await cura.send("GET", "/cluster-api/v1/printers")
      let before = hub.documentBuilds
      for number in 0..<20 {
        // What nobody shows changes all the time.
        cura.bench.printer.update {
          $0.objects["extruder", default: [:]]["temperature"] = .double(Double(number))
        }
        _ = try await cura.send("GET", "/cluster-api/v1/printers")
        _ = try await cura.send("GET", "/cluster-api/v1/print_jobs")
      }
      #expect(hub.documentBuilds == before)
      cura.bench.printer.update {
        $0.objects["print_stats", default: [:]]["print_duration"] = 7.5
      }
      try await cura.settle(["printing"])
      #expect(hub.documentBuilds == before + 1)
    }
  }

  @Test("the system is told to whoever typed in the address")
  func system() async throws {
    let cura = try await CuraBench()
    try await cura.run {
      let body = try JSONValue(parsing: try await cura.send("GET", "/api/v1/system").body)
      #expect(body["name"] == "Voron")
      #expect(body["firmware"] == "7.1.0")
      #expect(body["hardware"]?["typeid"] == 9066)
      #expect(body["variant"] == "Ultimaker 3")
    }
  }

  @Test("identity and instance are made once and kept")
  func identity() async throws {
    let cura = try await CuraBench()
    let kept = try #require(cura.bench.identity.identity)
    let uuid = try #require(kept["printer_uuid"]?.string)
    #expect(GUIDText.normalized(uuid) == uuid)
    #expect(kept["instance"]?.string?.hasPrefix("ultimakersystem-") == true)
    let again = try await CuraConnectBackend(
      settings: .written([:]), context: cura.bench.context("cura"))
    #expect(again.hub.identity.printerUUID == uuid)
    #expect(cura.bench.identity.saves == 1)
  }

  @Test("a name that another host has in the network is left to it, and the new one is kept")
  func collision() async throws {
    let cura = try await CuraBench(["instance": .string("mine")])
    cura.bench.advertiser.collide(1)
    try await cura.run {
      await until { cura.bench.advertiser.services.count == 2 }
      let services = cura.bench.advertiser.services
      #expect(services.map(\.instance) == ["mine", "mine-2"])
      #expect(services[0].text.map(\.key).contains("firmware_version"))
      let answer = try await cura.send("GET", "/cluster-api/v1/printers")
      #expect(
        try JSONValue(parsing: answer.body).array?.first?["unique_name"] == "mine-2")
    }
  }

  // MARK: Uploads

  @Test("an upload reaches the printer and starts on a clear bed")
  func upload() async throws {
    let cura = try await CuraBench()
    cura.bench.isBedClear.withLock { $0 = true }
    try await cura.run {
      cura.bench.printer.come()
      let answer = try await cura.upload("böx (1).gcode", gcode)
      #expect(answer.status == 201)
      let uuid = try #require(try JSONValue(parsing: answer.body)["uuid"]?.string)
      #expect(cura.bench.gateway.uploads.map(\.path) == ["böx (1).gcode"])
      #expect(cura.bench.gateway.uploads.first?.bytes == gcode)
      try await cura.settle(["sent_to_printer"])
      let path = try #require(GCodePath("böx (1).gcode"))
      #expect(cura.commands.contains(.start(path, .itself)))
      cura.bench.printer.update { status in
        status.objects["print_stats"] = [
          "state": "printing", "filename": "böx (1).gcode", "print_duration": 3,
        ]
      }
      try await cura.settle(["printing"])
      let job = try #require(try await cura.jobs().first)
      #expect(job["uuid"]?.string == uuid)
      #expect(job["owner"] == "alice")
      #expect(job["assigned_to"]?.string == cura.backend.hub.identity.printerUUID)
      #expect(job["created_at"]?.string?.utf8.count == 27)
    }
  }

  @Test("what the bed does not allow waits in the queue and says why")
  func occupied() async throws {
    let cura = try await CuraBench()
    cura.bench.isBedClear.withLock { $0 = true }
    cura.start.withLock { $0 = CommandOutcome(.refused, .bedOccupied, "the bed is not clear") }
    try await cura.run {
      cura.bench.printer.come()
      #expect(try await cura.upload("a.gcode", gcode).status == 201)
      await until { cura.queued == ["a.gcode"] }
      try await cura.settle(["queued"])
      let page = try await cura.send("GET", "/print_jobs")
      #expect(page.text.contains("the bed is not clear"))
      // It is not tried again by itself.
      cura.start.withLock { $0 = .done() }
      cura.bench.time.advance(by: .seconds(60))
      #expect(try await cura.words() == ["queued"])
    }
  }

  @Test("with `always`, what waits starts when a person has cleared the bed")
  func always() async throws {
    let cura = try await CuraBench(["auto_start": .string("always")])
    cura.start.withLock { $0 = CommandOutcome(.refused, .bedOccupied, "the bed is not clear") }
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", gcode)
      await until { cura.queued == ["a.gcode"] }
      let tries = cura.commands.count { $0.kind == .start }
      cura.bench.time.advance(by: .seconds(60))
      #expect(cura.commands.count { $0.kind == .start } == tries)
      cura.start.withLock { $0 = .done() }
      cura.bench.isBedClear.withLock { $0 = true }
      cura.bench.time.advance(by: .seconds(6))
      await until { cura.queued.isEmpty }
      try await cura.settle(["sent_to_printer"])
    }
  }

  @Test(
    "Ultimaker's own G-code waits, and is printed where the owner allows it",
    arguments: [true, false])
  func griffin(_ isAllowed: Bool) async throws {
    let cura = try await CuraBench(["allow_griffin": .boolean(isAllowed)])
    cura.bench.isBedClear.withLock { $0 = true }
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", Array(";START_OF_HEADER\n;FLAVOR:Griffin\n".utf8))
      if !isAllowed { await until { cura.queued == ["a.gcode"] } }
      try await cura.settle([isAllowed ? "sent_to_printer" : "queued"])
      #expect(cura.commands.contains { $0.kind == .start } == isAllowed)
      let page = try await cura.send("GET", "/print_jobs").text
      #expect(page.contains("cura-definition") == !isAllowed)
    }
  }

  @Test("with `always`, a start of which nobody knows the end is not tried again")
  func unknownStart() async throws {
    let cura = try await CuraBench(["auto_start": .string("always")])
    cura.start.withLock { $0 = CommandOutcome(.unknown, .timeout, "no answer") }
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", gcode)
      await until { cura.queued == ["a.gcode"] }
      cura.bench.isBedClear.withLock { $0 = true }
      cura.bench.time.advance(by: .seconds(6))
      try await cura.settle(["sent_to_printer"])
      // It did begin, and came to its end: its place in the queue is not another copy.
      for state in ["printing", "complete"] {
        cura.bench.printer.update { status in
          status.objects["print_stats"] = ["state": .string(state), "filename": "a.gcode"]
        }
        try await cura.settle([state == "printing" ? "pre_print" : "wait_cleanup"])
      }
      await until { cura.queued.isEmpty }
      cura.bench.time.advance(by: .seconds(300))
      #expect(cura.commands.count { $0.kind == .start } == 1)
      #expect(try await cura.words() == ["wait_cleanup"])
    }
  }

  @Test("names that are taken get a number, those of uploads on their way too")
  func taken() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    cura.names.withLock { $0 = ["a.gcode", "a-1.gcode"] }
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", gcode)
      #expect(cura.bench.gateway.uploads.map(\.path) == ["a-2.gcode"])
    }
  }

  @Test(
    "what is no print is refused, listed as failed, and leaves nothing behind",
    arguments: [
      ("a.exe", "MZ", 415), ("a.ufp", "no zip", 415), ("a.gcode.gz", "no gzip", 415),
      ("a.gcode", "PK\u{3}\u{4}zip", 415), ("a.gcode", "", 400),
    ])
  func refused(_ name: String, _ content: String, _ status: Int) async throws {
    let cura = try await CuraBench()
    try await cura.run {
      cura.bench.printer.come()
      #expect(try await cura.upload(name, Array(content.utf8)).status == status)
      #expect(try await cura.words() == ["error"])
      let job = try #require(try await cura.jobs().first)
      #expect(job["impediments_to_printing"]?.array?.first?["severity"] == "UNFIXABLE")
      #expect(cura.bench.gateway.uploads.isEmpty)
      await until { cura.bench.transfers.openSinks == 0 }
      let uuid = try #require(job["uuid"]?.string)
      #expect(try await cura.send("DELETE", "/cluster-api/v1/print_jobs/\(uuid)").status == 200)
      #expect(try await cura.words().isEmpty)
    }
  }

  @Test("a full disk is said, and nothing is listed as printing")
  func diskFull() async throws {
    let cura = try await CuraBench()
    cura.bench.transfers.refuseUploads(TransferFailure(.disk, "no room"))
    try await cura.run {
      cura.bench.printer.come()
      let answer = try await cura.upload("a.gcode", gcode)
      #expect(answer.status == 507)
      let words = try await cura.words()
      #expect(words == ["error"])
    }
  }

  @Test("an upload that breaks off at any tenth makes no job and leaves no file")
  func cut() async throws {
    let cura = try await CuraBench()
    try await cura.run {
      cura.bench.printer.come()
      let form = CuraBench.form("a.gcode", [UInt8](repeating: 65, count: 5_000))
      let port = try #require(cura.bench.listener.port(for: 8_008))
      for tenth in 0..<10 {
        let client = RawClient(port: port)
        client.send(
          "POST /cluster-api/v1/print_jobs/ HTTP/1.1\r\nHost: localhost\r\n"
            + "Content-Type: multipart/form-data; boundary=\"b+/=1\"\r\n"
            + "Content-Length: \(form.count)\r\n\r\n")
        client.send(Array(form.prefix(form.count * tenth / 10)))
      }
      await until { cura.bench.transfers.openSinks == 0 }
      #expect(try await cura.words().isEmpty)
      #expect(cura.bench.gateway.uploads.isEmpty)
    }
  }

  @Test(
    "a form without end is no upload, whatever part of it does not end", .timeLimit(.minutes(1)))
  func endless() async throws {
    let cura = try await CuraBench(["max_upload_mb": .integer(1)])
    try await cura.run {
      cura.bench.printer.come()
      let port = try #require(cura.bench.listener.port(for: 8_008))
      let whole = CuraBench.form("a.gcode", gcode)
      let text = Array("--b+/=1\r\ncontent-disposition: form-data; name=owner\r\n\r\n".utf8)
      for start in [whole, text] {
        let client = RawClient(port: port)
        client.send(
          "POST /cluster-api/v1/print_jobs/ HTTP/1.1\r\nHost: 192.168.1.20\r\n"
            + "Content-Type: multipart/form-data; boundary=\"b+/=1\"\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n")
        let chunk = [UInt8](repeating: 65, count: 0x10000)
        _ = try await offload {
          client.send(
            Array("\(String(start.count, radix: 16))\r\n".utf8) + start + Array("\r\n".utf8))
          for _ in 0..<20 {
            client.send(Array("10000\r\n".utf8) + chunk + Array("\r\n".utf8))
          }
        }
        // It has not ended, and yet it has come to nothing.
        await until { cura.backend.hub.jobs.contains { $0.notice?.contains("1 MB") == true } }
        let uuid = try #require(cura.backend.hub.jobs.first?.uuid)
        cura.backend.hub.change { $0.remove(uuid) }
      }
      #expect(cura.bench.gateway.uploads.isEmpty)
    }
  }

  @Test("what Moonraker does not tell in time is no picture, and not the one that stands for none")
  func slowPicture() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    try await cura.run {
      cura.bench.printer.come()
      cura.enqueue("sub/a.gcode")
      try await cura.settle(["queued"])
      let uuid = try #require(try await cura.jobs().first?["uuid"]?.string)
      let path = "/cluster-api/v1/print_jobs/\(uuid)/preview_image"
      cura.bench.gateway.answer { _ in CommandOutcome(.failed, .timeout, "no answer") }
      #expect(try await cura.send("GET", path).status == 503)
      #expect(try await cura.send("GET", path).status == 503)
      cura.bench.gateway.answer { _ in .done(["thumbnails": []]) }
      #expect(try await cura.send("GET", path).body == PlaceholderImage.bytes)
    }
  }

  // MARK: The queue

  @Test("queued jobs are moved, forced and deleted")
  func queue() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    try await cura.run {
      cura.bench.printer.come()
      for name in ["a.gcode", "b.gcode", "c.gcode"] { _ = try await cura.upload(name, gcode) }
      await until { cura.backend.hub.queue.count == 3 }
      let jobs = try await cura.jobs()
      let uuid = try #require(jobs.last?["uuid"]?.string)
      let path = "/cluster-api/v1/print_jobs/\(uuid)"
      let move = "{\"to_position\": 0, \"list\": \"queued\"}"
      #expect(try await cura.send("POST", "\(path)/action/move", json: move).status == 200)
      #expect(cura.queued.first == "c.gcode")
      #expect(try await cura.jobs().first?["uuid"]?.string == uuid)
      let back = "{\"to_position\": 2, \"list\": \"queued\"}"
      #expect(try await cura.send("POST", "\(path)/action/move", json: back).status == 200)
      #expect(cura.queued.last == "c.gcode")
      #expect(try await cura.jobs().last?["uuid"]?.string == uuid)
      #expect(try await cura.send("DELETE", path).status == 200)
      #expect(cura.queued == ["a.gcode", "b.gcode"])
      #expect(try await cura.send("DELETE", path).status == 404)
      // The file stays.
      #expect(!cura.commands.contains { $0.kind == .deleteFile })
      let first = try #require(try await cura.jobs().first?["uuid"]?.string)
      let force = try await cura.send(
        "PUT", "/cluster-api/v1/print_jobs/\(first)", json: "{\"force\": true}")
      #expect(force.status == 200)
      try await cura.settle(["sent_to_printer", "queued"])
      #expect(try await cura.jobs().first?["force"] == true)
      #expect(cura.queued == ["b.gcode"])
    }
  }

  @Test("others' prints are listed, and can be paused, resumed and ended")
  func others() async throws {
    let cura = try await CuraBench()
    try await cura.run {
      cura.bench.printer.come(printState: "printing")
      cura.bench.printer.update {
        $0.objects["print_stats", default: [:]]["print_duration"] = 9
      }
      await until { cura.backend.hub.reading.elapsed == 9 }
      try await cura.settle(["printing"])
      let job = try #require(try await cura.jobs().first)
      #expect(job["owner"] == "Klipper")
      let path = "/cluster-api/v1/print_jobs/\(try #require(job["uuid"]?.string))/action"
      #expect(try await cura.send("PUT", path, json: "{\"action\":\"print\"}").status == 409)
      #expect(try await cura.send("PUT", path, json: "{\"action\":\"pause\"}").status == 200)
      #expect(try await cura.words() == ["pausing"])
      cura.bench.printer.print("paused")
      try await cura.settle(["paused"])
      #expect(try await cura.send("PUT", path, json: "{\"action\":\"print\"}").status == 200)
      #expect(try await cura.words() == ["resuming"])
      cura.bench.printer.print("printing")
      try await cura.settle(["printing"])
      #expect(try await cura.send("PUT", path, json: "{\"action\":\"abort\"}").status == 200)
      #expect(try await cura.words() == ["aborting"])
      cura.bench.printer.print("cancelled")
      try await cura.settle(["wait_cleanup"])
      #expect(cura.commands == [.pause, .resume, .cancel])
    }
  }

  @Test(
    "what is not understood is refused",
    arguments: [
      ("PUT", "/cluster-api/v1/print_jobs/x/action", "{\"action\":\"pause\"}", 404),
      ("PUT", "/cluster-api/v1/print_jobs/x/action", "{\"action\":1}", 400),
      ("PUT", "/cluster-api/v1/print_jobs/x/action", "[", 400),
      ("PUT", "/cluster-api/v1/print_jobs/x/action", "", 400),
      ("POST", "/cluster-api/v1/print_jobs/x/action", "{}", 405),
      ("PATCH", "/cluster-api/v1/printers", "{}", 405),
      ("OPTIONS", "/cluster-api/v1/printers", "", 405),
      ("GET", "/cluster-api/v1/../../etc/passwd", "", 404),
      ("POST", "/cluster-api/v1/print_jobs/x/action/move", "{\"to_position\":-1}", 400),
      ("PUT", "/cluster-api/v1/print_jobs/x", "{\"force\":false}", 400),
      ("GET", "/cluster-api/v1/print_jobs/x/preview_image", "", 404),
      ("POST", "/cluster-api/v1/materials/", "{}", 400),
      ("GET", "/", "", 302),
    ])
  func notUnderstood(
    _ method: String, _ path: String, _ json: String, _ status: Int
  ) async throws {
    let cura = try await CuraBench()
    try await cura.run {
      let answer = try await cura.send(method, path, json: json)
      #expect(answer.status == status)
      #expect(answer["Content-Type"] == "application/json")
      #expect(cura.commands.isEmpty)
    }
  }

  @Test("no page in a browser can do anything, and no other name leads here")
  func browsers() async throws {
    let cura = try await CuraBench()
    try await cura.run {
      cura.bench.printer.come()
      for fields in ["Origin: http://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        #expect(try await cura.upload("a.gcode", gcode, fields: fields).status == 403)
      }
      let far = try await cura.send(
        "GET", "/cluster-api/v1/printers", fields: "X-Forwarded-For: 8.8.8.8\r\n")
      #expect(far.status == 403)
      let port = try #require(cura.bench.listener.port(for: 8_008))
      let client = RawClient(port: port)
      client.send("GET /cluster-api/v1/printers HTTP/1.1\r\nHost: evil.example\r\n\r\n")
      #expect(await client.laterAnswer()?.status == 403)
      #expect(cura.commands.isEmpty)
      #expect(try await cura.words().isEmpty)
    }
  }

  // MARK: The rest

  @Test("a job's picture is fetched once, and every job has one")
  func previews() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    cura.bench.files.put([0x89, 0x50, 0x4E, 0x47, 1, 2], at: "sub/.thumbs/a.png")
    try await cura.run {
      cura.bench.printer.come()
      cura.enqueue("sub/a.gcode")
      try await cura.settle(["queued"])
      let uuid = try #require(try await cura.jobs().first?["uuid"]?.string)
      let path = "/cluster-api/v1/print_jobs/\(uuid)/preview_image"
      let placeholder = try await cura.send("GET", path)
      #expect(placeholder.status == 200)
      #expect(placeholder.body == PlaceholderImage.bytes)
      cura.bench.gateway.answer { request in
        guard case .query = request.command else { return .done() }
        return .done([
          "thumbnails": [
            ["width": 32, "relative_path": ".thumbs/small.png"],
            ["width": 300, "relative_path": ".thumbs/a.png"],
            ["width": 900, "relative_path": ".thumbs/large.png"],
          ]
        ])
      }
      cura.bench.time.advance(by: .seconds(31))
      let looks = cura.bench.gateway.submitted.count
      for _ in 0..<3 {
        let picture = try await cura.send("GET", path)
        #expect(picture["Content-Type"] == "image/png")
        #expect(picture.body == [0x89, 0x50, 0x4E, 0x47, 1, 2])
      }
      #expect(cura.bench.gateway.submitted.count == looks + 1)
    }
  }

  private func profile(_ guid: String, version: Int = 3) -> [UInt8] {
    Array(
      """
      <?xml version="1.0" encoding="utf-8"?>
      <fdmmaterial version="1.3" xmlns="http://www.ultimaker.com/material">
      <metadata><name><brand>Generic</brand><material>PLA</material><color>Red</color></name>
      <GUID>\(guid)</GUID><version>\(version)</version><color_code>#ff0000</color_code></metadata>
      <properties><density>1.24</density><diameter>2.85</diameter></properties></fdmmaterial>
      """.utf8)
  }

  @Test("materials are kept over a restart, and name what is loaded")
  func materials() async throws {
    let guid = "0ff92885-617b-4144-a03c-9989872454bc"
    let cura = try await CuraBench(["materials": .list([guid])])
    try await cura.run {
      #expect(try await cura.send("GET", "/cluster-api/v1/materials").text == "[]")
      let answer = try await cura.send(
        "POST", "/cluster-api/v1/materials/",
        fields: "Content-Type: multipart/form-data; boundary=\"b+/=1\"\r\n",
        body: CuraBench.form("generic_pla.xml.fdm_material", profile(guid)))
      #expect(answer.status == 200)
      #expect(!answer.text.contains("not added"))
      let list = try JSONValue(
        parsing: try await cura.send("GET", "/cluster-api/v1/materials").body)
      #expect(list == [["guid": .string(guid), "version": 3]])
      let printers = try await cura.send("GET", "/cluster-api/v1/printers")
      let extruder = try JSONValue(parsing: printers.body).array?.first?["configuration"]?.array
      #expect(extruder?.first?["material"]?["material"] == "PLA")
      #expect(extruder?.first?["material"]?["color"] == "#ff0000")
      cura.bench.time.advance(by: .seconds(11))
      await until { cura.bench.identity.identity?["materials"]?.array?.count == 1 }
    }
    let again = try await CuraConnectBackend(
      settings: .written([:]), context: cura.bench.context("cura"))
    #expect(again.hub.materials[guid]?.brand == "Generic")
  }

  @Test("profiles do not fill the file that holds the printer's identity, whatever their letters")
  func hostileMaterials() {
    let shelf = MaterialShelf(nil)
    let text = String(repeating: "👩‍👩‍👧‍👦\"ü", count: 64)
    for number in 0..<5_000 {
      let digits = String(number, radix: 16)
      let guid =
        "00000000-0000-4000-a000-" + String(repeating: "0", count: 12 - digits.count) + digits
      let xml =
        "<fdmmaterial xmlns=\"http://www.ultimaker.com/material\"><metadata><name><brand>\(text)</brand>"
        + "<material>\(text)</material><color>\(text)</color></name><GUID>\(guid)</GUID>"
        + "<version>1</version></metadata></fdmmaterial>"
      if number == 0 {
        let read = MaterialProfile.read(Array(xml.utf8))
        #expect(read?.guid == guid)
        #expect((read?.brand.utf8.count ?? 99) <= 36)
      }
      _ = shelf.put(
        Material(
          guid: guid, version: 1, brand: String(repeating: "\"", count: 36),
          material: String(repeating: "ü", count: 18)))
    }
    #expect(shelf.stored.serialized().count <= MaterialShelf.mostKept)
    // What is there is replaced all the same.
    #expect(
      shelf.put(Material(guid: "00000000-0000-4000-a000-000000000001", version: 2, brand: "b")))
    // The usual ones of a Cura have room.
    let usual = MaterialShelf(nil)
    let isTaken = (0..<300).allSatisfy { number in
      usual.put(
        Material(
          guid: "00000000-0000-4000-a000-000000000\(100 + number)", version: 12,
          brand: "Ultimaker", material: "Tough PLA", color: "Black and white",
          colorCode: "#0e0e10", density: "1.24", diameter: "2.85"))
    }
    #expect(isTaken)
  }

  @Test(
    "profiles that are none are refused",
    arguments: ["", "<a/>", "not xml", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"])
  func badProfiles(_ text: String) { #expect(MaterialProfile.read(Array(text.utf8)) == nil) }

  @Test("a Cura gets an id and a key at once, and with `pair` no further before a person says so")
  func pairing() async throws {
    let cura = try await CuraBench(["auth": .string("pair")])
    try await cura.run {
      let answer = try await cura.send(
        "POST", "/api/v1/auth/request", json: "{\"application\":\"UltiMaker Cura\",\"user\":\"me\"}"
      )
      let id = try #require(try JSONValue(parsing: answer.body)["id"]?.string)
      let refused = try await cura.send("GET", "/cluster-api/v1/printers")
      #expect(refused.status == 401)
      #expect(refused["WWW-Authenticate"]?.hasPrefix("Digest realm=\"Jedi-API\", nonce=\"") == true)
      #expect(try await cura.upload("a.gcode", gcode).status == 401)
      let check = try await cura.send("GET", "/api/v1/auth/check/\(id)")
      #expect(check.text.contains("unauthorized"))
      // Nobody in the network can approve himself.
      let far = try await cura.send(
        "POST", "/api/v1/auth/approve/\(id)", fields: "X-Forwarded-For: 192.168.1.2\r\n")
      #expect(far.status == 403)
      #expect(try await cura.send("POST", "/api/v1/auth/approve/\(id)").status == 200)
      #expect(
        try await cura.send("GET", "/api/v1/auth/check/\(id)").text.contains("\"authorized\""))
      await until { cura.bench.identity.identity?["clients"]?.array?.count == 1 }
    }
  }

  @Test("hostile names are shown as text")
  func page() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("<img src=x onerror=alert(1)>.gcode", gcode)
      try await cura.settle(["queued"])
      let page = try await cura.send("GET", "/print_jobs")
      #expect(page["Content-Type"] == "text/html; charset=utf-8")
      #expect(page.text.contains("&lt;img src=x onerror=alert(1)&gt;"))
      #expect(!page.text.contains("<img"))
      #expect(page["Content-Security-Policy"]?.contains("default-src 'none'") == true)
    }
  }
}
