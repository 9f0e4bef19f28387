import ConnectorKit
import Networking
import Platform
import TestSupport
import Testing

@Suite("What HTTP answers have in common") struct HTTPMeaningTests {
  /// Sun, 06 Nov 1994 08:49:37 GMT.
  private static let now = WallTime(millisecondsSinceEpoch: 784_111_777_000)

  @Test(
    "Retry-After is read in seconds and as a date, and never beyond the longest wait",
    arguments: [
      ("7", 7), (" 0 ", 0), ("301", 300), ("99999999999999999999999", 300),
      ("Sun, 06 Nov 1994 08:49:57 GMT", 20), ("Sun, 06 Nov 1994 08:49:17 GMT", 0),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 300), ("", nil), ("soon", nil), ("-5", nil), ("1.5", nil),
      ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("Sun, 99 Nov 1994 08:49:37 GMT", nil),
    ] as [(String, Int?)])
  func retryAfter(text: String, seconds: Int?) {
    let response = HTTPResponse(status: 503, fields: [HTTPField("retry-after", text)])
    #expect(
      response.retryAfter(at: Self.now, longest: .seconds(300))
        == seconds.map { Duration.seconds($0) })
    #expect(HTTPResponse(status: 503).retryAfter(at: Self.now, longest: .seconds(300)) == nil)
  }

  @Test(
    "A service's words are found, cleaned for one line and cut",
    arguments: [
      (#"{"error":"no such token"}"#, "no such token"), (#"{"message":"no"}"#, "no"),
      (#"{"error":{"code":4,"message":"no"}}"#, "no"),
      (#"{"error":"a\r\nb\u001b[0m\u0085c"}"#, "a  b [0m c"),
      (#"{"error":"\#(String(repeating: "x", count: 500))"}"#, String(repeating: "x", count: 200)),
      (#"{"error":" \n"}"#, nil), (#"{"error":5}"#, nil), ("<html>", nil), ("", nil), ("[1]", nil),
      (String(repeating: "[", count: 17) + String(repeating: "]", count: 17), nil),
      (#"{"a":"\#(String(repeating: "x", count: 65_536))","error":"no"}"#, nil),
    ] as [(String, String?)])
  func words(body: String, words: String?) {
    #expect(HTTPResponse.json(400, body).words(without: nil) == words)
  }

  @Test(
    "A web page is known by its type or by its first character",
    arguments: [
      ("Text/HTML; charset=utf-8", "{}", true), ("application/json", "\r\n <!DOCTYPE html>", true),
      ("application/json", #"{"a":"<html>"}"#, false), ("text/plain", "", false),
    ])
  func webPage(type: String, body: String, isPage: Bool) {
    let response = HTTPResponse(
      status: 200, fields: [HTTPField("content-type", type)], body: Array(body.utf8))
    #expect(response.isWebPage == isPage)
  }

  @Test(
    "A field carries visible ASCII and nothing that could begin another field",
    arguments: [
      ("aZ0~!", true), ("", false), ("a b", false), ("a\r\nX: y", false), ("ä", false),
      ("\u{7F}", false), ("a\u{0}", false),
    ])
  func fields(value: String, isCarried: Bool) {
    #expect(HTTPField.canCarry(value) == isCarried)
    #expect(HTTPField.bearer(Secret(value)) == HTTPField("Authorization", "Bearer \(value)"))
  }

  @Test(
    "A call without an answer says what to look at, by the setting's own key",
    arguments: [
      (NetworkError.Kind.badURL, "correct relay"),
      (.nameLookup, "check relay and the network's DNS"),
      (.certificateNotYetValid, "wait for this host's clock to be set, or set it"),
      (.timeout, "it is tried again by itself"),
    ])
  func remedies(kind: NetworkError.Kind, remedy: String) {
    #expect(kind.remedy(address: "relay") == remedy)
  }
}
