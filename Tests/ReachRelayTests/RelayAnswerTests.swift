import ConnectorKit
import JSON
import Networking
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach answers") struct RelayAnswerTests {
  private static let now = WallTime(millisecondsSinceEpoch: 784_111_777_000)

  private static func answer(
    _ status: Int, _ body: String = "", fields: [HTTPField] = []
  ) -> RelayAnswer {
    RelayAnswer(HTTPResponse(status: status, fields: fields, body: Array(body.utf8)), at: now)
  }

  @Test(
    "Any 2xx is a success, whatever comes with it",
    arguments: ["", "{}", "[]", "null", "<html></html>", "{\"a\":", "\u{0}", "{\"nextCheckIn\":8}"])
  func success(body: String) {
    let expected: JSONObject = body.contains("8") ? ["nextCheckIn": 8] : [:]
    for status in [200, 201, 204, 299] {
      #expect(Self.answer(status, body) == .accepted(expected))
    }
  }

  @Test(
    "Every other status is what the protocol makes of it",
    arguments: [
      (401, .unauthorised("status 401")), (403, .forbidden(status: 403, "status 403")),
      (404, .forbidden(status: 404, "status 404")), (400, .refused(status: 400, "status 400")),
      (409, .refused(status: 409, "status 409")), (413, .refused(status: 413, "status 413")),
      (429, .failed(status: 429)), (500, .failed(status: 500)), (503, .failed(status: 503)),
      (102, .failed(status: 102)), (999, .failed(status: 999)),
      (307, .redirected(host: "an unnamed place")),
    ] as [(Int, RelayAnswer)])
  func statuses(status: Int, expected: RelayAnswer) {
    #expect(Self.answer(status) == expected)
  }

  @Test("A redirect names the host it leads to and nothing more")
  func redirects() {
    let field = HTTPField("location", "https://login.example.net/portal?token=abc")
    let answer = Self.answer(302, fields: [field])
    #expect(answer == .redirected(host: "login.example.net"))
    #expect(
      answer.problem(host: "relay.example.com")
        == "relay.example.com redirects to login.example.net, which is not followed")
  }

  @Test(
    "Retry-After is read as seconds or as a date, and capped",
    arguments: [
      ("7", Duration.seconds(7)), (" 1 ", .seconds(1)), ("999999999999999999999", .seconds(900)),
      ("Sun, 06 Nov 1994 08:49:57 GMT", .seconds(20)),
      ("Fri, 31 Dec 9999 23:59:59 GMT", .seconds(900)),
    ])
  func retryAfter(field: String, pause: Duration) {
    for status in [429, 503] {
      #expect(
        Self.answer(status, fields: [HTTPField("Retry-After", field)])
          == .wait(status: status, pause))
    }
  }

  @Test(
    "A Retry-After that is neither, or that would be a busy loop, is as if it were not there",
    arguments: [
      "0", "Sun, 06 Nov 1994 08:49:17 GMT",
      "", "soon", "-5", "1.5", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT",
    ])
  func badRetryAfter(field: String) {
    #expect(Self.answer(429, fields: [HTTPField("Retry-After", field)]) == .failed(status: 429))
  }

  @Test("Dates are counted right across leap years")
  func dates() {
    let day: Int64 = 86_400
    for (text, days) in [
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Tue, 29 Feb 2000 00:00:00 GMT", 11_016),
      ("Wed, 01 Mar 2000 00:00:00 GMT", 11_017), ("Mon, 01 Mar 2100 00:00:00 GMT", 47_541),
    ] as [(String, Int64)] {
      let before = WallTime(millisecondsSinceEpoch: (days * day - 10) * 1_000)
      let response = HTTPResponse(status: 429, fields: [HTTPField("Retry-After", text)])
      #expect(
        RelayAnswer(response, at: before) == .wait(status: 429, .seconds(10)), "\(text)")
    }
  }

  @Test(
    "The relay's words are shown without the secret that they repeat, also where it would be cut",
    arguments: [401, 403, 404, 410],
    ["no t0ken-1 here", String(repeating: "x", count: 197) + "t0ken-1"])
  func secret(status: Int, words: String) {
    let response = HTTPResponse(status: status, body: Array("{\"error\":\"\(words)\"}".utf8))
    let answer = RelayAnswer(response, at: Self.now, hiding: Secret("t0ken-1"))
    #expect("\(answer)".contains("…") && !"\(answer)".contains("t0k"))
  }

  @Test("The relay's words are cut and cleaned for one line")
  func words() {
    let long = String(repeating: "x", count: 300)
    #expect(
      Self.answer(410, "{\"error\":\"expired\\n\\u001b[31m\"}")
        == .refused(status: 410, "status 410: expired  [31m"))
    #expect(
      Self.answer(410, "{\"message\":\"\(long)\"}")
        == .refused(status: 410, "status 410: \(long.prefix(200))"))
  }
}
