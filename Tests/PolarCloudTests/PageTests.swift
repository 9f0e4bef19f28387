import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PolarCloud

@Suite("Polar: the page") struct PageTests {
  /// Pages that a test visits.
  private final class Visited: PageService {
    let handler = Guarded<PageService.Handler?>(nil)
    let wakes = Counter()
    func serve(_ paths: [String], _ handler: @escaping Handler) {
      self.handler.withLock { $0 = handler }
    }
    func wake() { wakes.increment() }
    func visit(
      _ method: String, _ path: String, _ body: String = "", isForm: Bool = false,
      mayChange: Bool = true
    ) async -> PageResponse {
      let handler = handler.withLock { $0 }
      return await handler?(
        PageRequest(
          method: method, path: path, body: Array(body.utf8), isForm: isForm, mayChange: mayChange,
          visitor: "the page (test)")) ?? PageResponse(status: 0, type: "", body: [])
    }
  }

  private let pages = Visited()

  private func backend(
    _ bench: TestBench, _ settings: [String: SettingValue] = [:]
  ) async throws -> PolarCloudBackend {
    var context = bench.context()
    context.pages = pages
    return try await PolarCloudBackend(settings: .written(settings), context: context)
  }

  private func json(_ answer: PageResponse) throws -> JSONValue {
    try JSONValue(parsing: answer.body)
  }

  @Test("E-mail and PIN are entered, kept until they have been used, and wake the backend up")
  func register() async throws {
    let bench = TestBench(identity: PolarBench.unregistered) { _, _ in HTTPResponse(status: 204) }
    _ = try await backend(bench)
    let answer = await pages.visit(
      "POST", "/printer/polar_cloud/register",
      #"{"username":"maker@example.test","pin":"0123","printer_type":"Ender 3"}"#)
    #expect(answer.status == 200)
    #expect(pages.wakes.value == 1)
    #expect(bench.identity.identity?["entered"]?["pin"] == "0123")
    let status = try json(await pages.visit("GET", "/printer/polar_cloud/status"))
    #expect(status["username"] == "maker@example.test" && status["printer_type"] == "Ender 3")
    #expect(status["has_pin"] == true && status["registered"] == false)
    let text = String(decoding: status.serialized(), as: UTF8.self)
    #expect(!text.contains("0123"))
    #expect(!bench.log.lines.contains { $0.contains("0123") })
  }

  @Test("A form does as well")
  func form() async throws {
    let bench = TestBench(identity: PolarBench.unregistered) { _, _ in HTTPResponse(status: 204) }
    _ = try await backend(bench)
    let answer = await pages.visit(
      "POST", "/printer/polar_cloud/config", "printer_type=Ender+3%20V2&webcam_enabled=off",
      isForm: true)
    #expect(answer.status == 200)
    #expect(bench.identity.identity?["entered"]?["printer_type"] == "Ender 3 V2")
    #expect(bench.identity.identity?["entered"]?["webcam_enabled"] == false)
  }

  @Test("What stands in the file is changed there only")
  func fixed() async throws {
    let bench = TestBench(identity: PolarBench.unregistered) { _, _ in HTTPResponse(status: 204) }
    _ = try await backend(bench, ["printer_type": .string("Ender 3")])
    let answer = await pages.visit(
      "POST", "/printer/polar_cloud/config", #"{"printer_type":"Other"}"#)
    #expect(answer.status == 409)
    #expect(
      try json(answer)["message"]
        == "printer_type stands in the configuration file (line 1): change it there.")
    let same = await pages.visit(
      "POST", "/printer/polar_cloud/config", #"{"printer_type":"Ender 3"}"#)
    #expect(same.status == 200)
  }

  @Test(
    "What cannot be is refused with what is wrong, and nothing is kept",
    arguments: [
      (#"{"username":"nobody","pin":"1234"}"#, "username is no e-mail address"),
      (#"{"username":"a@b","pin":"12a4"}"#, "pin has 4 to 8 digits"),
      (#"{"username":"a@b"}"#, "username and pin are needed to register"),
      (#"{"server_url":"http://far.test"}"#, "server_url is no https address"),
      (#"{"max_image_size":"9e9"}"#, "max_image_size is a number from 10000 to 1000000"),
      (#"{"permissions":"full"}"#, "permissions is not known here"),
      (#"{"printer_type":["x"]}"#, "printer_type is no text, number or truth value"),
      ("[]", "the body is no JSON object"),
    ])
  func refused(body: String, message: String) async throws {
    let bench = TestBench(identity: PolarBench.unregistered) { _, _ in HTTPResponse(status: 204) }
    _ = try await backend(bench)
    let answer = await pages.visit("POST", "/printer/polar_cloud/register", body)
    #expect(answer.status == 400)
    #expect(try json(answer)["message"]?.string == message)
    #expect(bench.identity.saves == 0 && pages.wakes.value == 0)
  }

  @Test("Who may not change anything sees the account in part only")
  func masked() async throws {
    let bench = TestBench(identity: PolarBench.registered) { _, _ in HTTPResponse(status: 204) }
    _ = try await backend(bench, ["username": .string("maker@example.test")])
    let status = try json(
      await pages.visit("GET", "/printer/polar_cloud/status", mayChange: false))
    #expect(status["username"] == "m…@example.test" && status["server_url"] == nil)
    #expect(status["may_change"] == false && status["serial_number"] == "KL000001")
  }

  @Test("Registered already, a second registration is refused; unregistered, it is forgotten here")
  func unregister() async throws {
    let bench = TestBench(identity: PolarBench.registered) { _, _ in HTTPResponse(status: 204) }
    _ = try await backend(bench)
    let again = await pages.visit(
      "POST", "/printer/polar_cloud/register", #"{"username":"a@b","pin":"1234"}"#)
    #expect(again.status == 409)
    #expect(await pages.visit("POST", "/printer/polar_cloud/unregister").status == 200)
    #expect(bench.identity.identity?["serial_number"] == nil)
    #expect(bench.identity.identity?["private_key"] != nil, "the key stays")
    #expect(await pages.visit("POST", "/printer/polar_cloud/unregister").status == 409)
  }

  @Test("The makes are fetched when asked for, filtered, and on the disk for a day")
  func makes() async throws {
    let bench = TestBench(identity: PolarBench.registered) { _, _ in
      .json(200, #"{"printerMakes":["Ender 3","Kobra 2","Voron","",7,"Ender 3"]}"#)
    }
    _ = try await backend(bench, ["manufacturer": .string("CR")])
    let first = try json(await pages.visit("GET", "/polar-cloud/makes"))
    #expect(first["printerMakes"] == ["Ender 3"])
    _ = await pages.visit("GET", "/polar-cloud/makes")
    #expect(bench.transport.requests.count == 1)
    #expect(bench.transport.requests[0].url.hasSuffix("printer_makes?filter=cartesian"))
    bench.time.advance(by: .seconds(86_401))
    _ = await pages.visit("GET", "/polar-cloud/makes")
    #expect(bench.transport.requests.count == 2)
  }

  @Test("Without the list the page works all the same, and nobody is asked again at once")
  func noMakes() async throws {
    let bench = TestBench(identity: PolarBench.registered) { _, _ in HTTPResponse(status: 500) }
    _ = try await backend(bench)
    for _ in 0..<3 {
      let answer = try json(await pages.visit("GET", "/polar-cloud/makes"))
      #expect(answer["printerMakes"] == [])
    }
    #expect(bench.transport.requests.count == 1)
  }

  @Test("The page is small, and nothing in it leads elsewhere")
  func files() async throws {
    let bench = TestBench(identity: PolarBench.registered) { _, _ in HTTPResponse(status: 204) }
    _ = try await backend(bench)
    var bytes = 0
    for path in ["/polar-cloud/", "/polar-cloud/app.js", "/polar-cloud/style.css"] {
      let answer = await pages.visit("GET", path)
      #expect(answer.status == 200)
      bytes += answer.body.count
      let text = String(decoding: answer.body, as: UTF8.self)
        .replacing("http://www.w3.org/2000/svg", with: "")
      #expect(!text.contains("http://") && !text.contains("https://") && !text.contains("@import"))
    }
    #expect(bytes < 60_000)
    #expect(await pages.visit("GET", "/polar-cloud").status == 301)
    #expect(await pages.visit("GET", "/polar-cloud/none").status == 404)
    #expect(await pages.visit("GET", "/printer/polar_cloud/config").status == 405)
    #expect(await pages.visit("POST", "/polar-cloud/", "{}").status == 405)
  }
}
