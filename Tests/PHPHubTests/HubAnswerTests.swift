import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PHPHub

@Suite("PHP hub: answers") struct HubAnswerTests {
  private static let now = WallTime(millisecondsSinceEpoch: 1_795_162_973_000)

  private static func answer(
    _ text: String, status: Int = 200, _ fields: [HTTPField] = []
  ) -> HubAnswer {
    HubAnswer(
      HTTPResponse(status: status, fields: fields, body: Array(text.utf8)), at: now)
  }

  @Test(
    "What PHP sends instead of an answer is a failure that is tried again",
    arguments: [
      "", "null", "[]", "[{\"success\":true}]", "\"ok\"", "true", "{", "{\"success\":tr",
      "{\"success\":\"true\"}", "{\"success\":1}", "{\"message\":\"OK\"}", "{}",
      "<br />\n<b>Fatal error</b>:  Uncaught Error in <b>/var/www/api.php</b> on line <b>3</b><br />",
      "<html><body>Please log in</body></html>", "\u{FEFF}", "{\"success\":true}\n<br />oops",
      "<br />\n<b>Warning</b>: x<br />\n[]", "\u{0}\u{1}\u{2}",
    ])
  func unusable(text: String) {
    guard case .unusable = Self.answer(text) else {
      Issue.record("\(text) was taken for an answer")
      return
    }
  }

  @Test("Deep and endless documents are failures too")
  func limits() {
    for text in [String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 999)] {
      guard case .unusable = Self.answer(text) else {
        Issue.record("it was taken for an answer")
        return
      }
    }
  }

  @Test(
    "A status that is none of success is a failure, whatever the body says",
    arguments: [301, 400, 403, 404, 413, 500, 502])
  func statuses(status: Int) {
    #expect(Self.answer("{\"success\":true}", status: status) == .unusable("status \(status)"))
  }

  @Test("Refusals are decided by success alone, and their words are cleaned")
  func refusals() {
    #expect(
      Self.answer("{\"success\":false,\"message\":\"Token inv\\u00e1lido\\u0007\\n\"}")
        == .refused("Token inválido"))
    #expect(Self.answer("{\"success\":false}") == .refused("no reason"))
    guard case .accepted = Self.answer("{\"success\":true,\"message\":\"Error fatal\"}") else {
      Issue.record("the message decided")
      return
    }
  }

  @Test("Retry-After counts up to ten minutes, in seconds or as a date")
  func waiting() {
    let date = HTTPField("Retry-After", "Fri, 20 Nov 2026 08:24:03 GMT")
    #expect(
      Self.answer("", status: 503, [HTTPField("Retry-After", "7")])
        == .wait(status: 503, .seconds(7)))
    #expect(
      Self.answer("", status: 429, [HTTPField("Retry-After", "86400")])
        == .wait(status: 429, .seconds(600)))
    guard case .wait(429, let pause) = Self.answer("", status: 429, [date]) else {
      Issue.record("the date was not read")
      return
    }
    #expect(pause > .zero && pause <= .seconds(600))
    #expect(
      Self.answer("", status: 503, [HTTPField("Retry-After", "x")]) == .unusable("status 503"))
  }

  @Test(
    "Numbers and ids may be text",
    arguments: [
      ("\"120\"", 120.0), ("120", 120), ("\"-1.5\"", -1.5), ("\"120\\nM112\"", nil),
      ("\"1e3\"", nil),
      ("\"nan\"", nil), ("\"inf\"", nil), ("\"0x10\"", nil), ("\" 1\"", nil), ("\"\"", nil),
      ("null", nil), ("true", nil), ("[]", nil), ("1e400", nil),
    ] as [(String, Double?)])
  func numbers(text: String, number: Double?) {
    #expect(HubNumber.double(.of(text)) == number)
  }

  @Test("An id is text or a whole number, and nothing else")
  func ids() {
    #expect(HubNumber.id("cmd_6b0003acc316e") == "cmd_6b0003acc316e")
    #expect(HubNumber.id(16) == "16")
    #expect(HubNumber.id("16") == "16")
    for bad in ["", "a b", "a\nb", "ä", String(repeating: "x", count: 201)] {
      #expect(HubNumber.id(.string(bad)) == nil)
    }
    #expect(HubNumber.id(.null) == nil && HubNumber.id(1.5) == nil && HubNumber.id([]) == nil)
  }
}

@Suite("PHP hub: calls") struct HubClientTests {
  private func bench(_ answers: [HTTPResponse]) -> TestBench {
    TestBench { (_, number) async throws(NetworkError) in
      answers[min(number, answers.count - 1)]
    }
  }

  private func client(_ bench: TestBench) -> HubClient {
    HubClient(token: Secret("TOK&1"), timeout: .seconds(10), context: bench.context())
  }

  private static let address = HubAddress(server: "http://hub.test/api.php", generation: .v1)

  @Test("A call has its name, JSON and nothing that costs time")
  func fields() async throws {
    let bench = bench([.json(200, "{\"success\":true}")])
    _ = try await client(bench).update(["a": 1], at: Self.address)
    _ = try await client(bench).commands(at: Self.address)
    let (update, poll) = (bench.transport.requests[0], bench.transport.requests[1])
    #expect(update.method == "POST" && update.url == "http://hub.test/api.php")
    #expect(update[field: "Content-Type"] == "application/json")
    #expect(update[field: "User-Agent"] == "\(Product.name)/\(Product.version)")
    #expect(update.fields.count == 2 && !update.acceptsCompression && update.body != nil)
    #expect(poll.url == "http://hub.test/api.php?action=get_commands&token=TOK%261")
    #expect(poll.fields.map(\.name) == ["User-Agent"])
  }

  private static func redirect(_ status: Int, _ target: String) -> HTTPResponse {
    HTTPResponse(status: status, fields: [HTTPField("Location", target)])
  }

  @Test("A POST that is sent to https stays a POST, and later ones go there at once")
  func upgrade() async throws {
    let bench = bench([
      Self.redirect(301, "https://hub.test/api.php"), .json(200, "{\"success\":true}"),
    ])
    let client = client(bench)
    let reply = try await client.update(["a": 1], at: Self.address)
    #expect(reply.answer == .accepted(["success": true]))
    _ = try await client.update(["a": 1], at: Self.address)
    let sent = bench.transport.requests
    #expect(sent.map(\.method) == ["POST", "POST", "POST"])
    #expect(sent.map { $0.url.prefix(5) } == ["http:", "https", "https"])
    #expect(bench.log.lines.filter { $0.contains("set server_url to https") }.count == 1)
  }

  @Test("Later calls go to the port that the hub has named")
  func upgradeOfPort() async throws {
    let bench = bench([
      Self.redirect(308, "https://hub.test:8443/api.php"), .json(200, "{\"success\":true}"),
    ])
    let client = client(bench)
    for _ in 0..<2 { _ = try await client.update(["a": 1], at: Self.address) }
    #expect(
      bench.transport.requests.map(\.url) == [
        "http://hub.test/api.php", "https://hub.test:8443/api.php",
        "https://hub.test:8443/api.php",
      ])
  }

  @Test(
    "Other redirects of a POST are errors that name the target, and no secret",
    arguments: [
      (301, "http://hub.test/other.php?token=x"), (302, "https://hub.test/login"),
      (303, "https://evil.test/api.php"), (307, "https://evil.test/api.php"),
      (308, "http://hub.test:81/api.php"), (301, "ftp://hub.test/api.php"), (302, ""),
      (302, "https://u:p@hub.test/api.php"),
    ])
  func refusedRedirects(status: Int, target: String) async throws {
    let bench = bench([Self.redirect(status, target), .json(200, "{\"success\":true}")])
    let reply = try await client(bench).update(["a": 1], at: Self.address)
    guard case .redirected(let place) = reply.answer else {
      Issue.record("\(reply.answer)")
      return
    }
    #expect(!place.contains("token") && !place.contains("p@"))
    #expect(bench.transport.requests.count == 1)
  }

  @Test("A hub that repeats the token in its own words puts it into no line of ours")
  func hiding() async throws {
    let bench = bench([
      .json(200, "{\"success\":false,\"message\":\"Token TOK&1 inv\\u00e1lido (TOK%261)\"}"),
      Self.redirect(302, "https://elsewhere.test/TOK%261/api.php"),
    ])
    let client = client(bench)
    let refused = try await client.update(["a": 1], at: Self.address).answer
    #expect(refused == .refused("Token (token) inválido ((token))"))
    let redirected = try await client.update(["a": 1], at: Self.address).answer
    #expect(redirected == .redirected(to: "https://elsewhere.test/(token)/api.php"))
  }

  @Test("A GET follows three redirects within the host, and never away from TLS")
  func gets() async throws {
    let around = Self.redirect(302, "/a.php")
    let four = bench([around, around, around, around])
    _ = try await client(four).commands(at: Self.address)
    #expect(four.transport.requests.count == 4)
    let secure = HubAddress(server: "https://hub.test/api.php", generation: .v1)
    let back = bench([Self.redirect(302, "http://hub.test/api.php")])
    guard case .redirected = try await client(back).commands(at: secure).answer else {
      Issue.record("it left TLS")
      return
    }
  }

  @Test("A kept connection that was closed is tried once more, a dead hub is not")
  func keptConnection() async throws {
    let kept = TestBench { (_, number) async throws(NetworkError) in
      if number == 0 {
        throw NetworkError(.connect, "the connection broke", requestMayHaveArrived: true)
      }
      return .json(200, "{\"success\":true}")
    }
    #expect(
      try await client(kept).update(["a": 1], at: Self.address).answer
        == .accepted(["success": true]))
    let dead = TestBench { (_, _) async throws(NetworkError) in
      throw NetworkError(.connect, "connection refused")
    }
    _ = try await client(dead).update(["a": 1], at: Self.address)
    #expect(dead.transport.requests.count == 1)
  }

  @Test("A picture is a form with the token and the file, as the original sends it")
  func form() {
    let form = PictureForm(token: Secret("T"), picture: [0xFF, 0xD8], boundary: "b")
    let text =
      "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nT\r\n--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"snapshot.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
    #expect(form.bytes == Array(text.utf8) + [0xFF, 0xD8] + Array("\r\n--b--\r\n".utf8))
    #expect(form.contentType == "multipart/form-data; boundary=b")
  }
}
