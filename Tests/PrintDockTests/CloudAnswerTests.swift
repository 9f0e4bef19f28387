import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PrintDock

@Suite("PrintDock's answers") struct CloudAnswerTests {
  let wallTime = WallTime(millisecondsSinceEpoch: 784_111_777_000)  // Sun, 06 Nov 1994 08:49:37 GMT

  private func error(
    _ response: HTTPResponse, _ expectation: CloudAnswer.Expectation = .object
  ) -> CloudError? {
    do throws(CloudError) {
      _ = try CloudAnswer.decode(response, expecting: expectation, at: wallTime)
      return nil
    } catch { return error }
  }

  @Test(
    "Statuses mean what the protocol says",
    arguments: [
      (301, .redirected), (302, .redirected), (307, .redirected), (400, .rejected),
      (401, .unauthorized), (403, .unauthorized), (404, .unknown), (405, .rejected),
      (408, .busy), (409, .rejected), (410, .rejected), (413, .rejected), (422, .rejected),
      (425, .busy), (429, .busy), (500, .busy), (502, .busy), (503, .busy), (504, .busy),
      (599, .busy), (101, .rejected),
    ] as [(Int, CloudError.Kind)])
  func statuses(status: Int, kind: CloudError.Kind) {
    for expectation in [CloudAnswer.Expectation.anything, .object] {
      let error = error(.json(status, "{}"), expectation)
      #expect(error?.kind == kind)
      #expect(error?.status == status)
      #expect(error?.remedy.isEmpty == false)
    }
  }

  @Test("A heartbeat takes any 2xx but a web page")
  func heartbeat() {
    for response in [
      HTTPResponse(status: 204), .json(200, #"{"status":"ok"}"#), .json(200, "garbage"),
      HTTPResponse(status: 201, body: Array("ok".utf8)),
    ] {
      #expect(error(response, .anything) == nil)
    }
  }

  @Test(
    "A snapshot needs JSON: anything else is not a PrintDock answer",
    arguments: [
      HTTPResponse(status: 204), .json(200, ""), .json(200, "garbage"), .json(200, "[]"),
      .json(200, #"{"inserted": "#), .json(200, "{} {}"),
      HTTPResponse(status: 200, body: [0xFF, 0xFE]),
    ])
  func snapshots(response: HTTPResponse) {
    #expect(error(response)?.kind == .notPrintDock)
    #expect(error(response)?.problem.hasPrefix("not a PrintDock answer: ") == true)
  }

  @Test(
    "A captive portal is not taken for PrintDock, by its type or by its first byte",
    arguments: [
      HTTPResponse(
        status: 200, fields: [HTTPField("content-type", "Text/HTML; charset=utf-8")],
        body: Array("{}".utf8)),
      HTTPResponse(status: 200, body: Array("\n <!DOCTYPE html><html>".utf8)),
    ])
  func captivePortal(response: HTTPResponse) {
    #expect(error(response, .anything)?.kind == .notPrintDock)
    #expect(error(response, .object)?.kind == .notPrintDock)
  }

  @Test(
    "The cloud's own words are passed on, on one line and not without end",
    arguments: [
      (#"{"error":"Invalid or expired pairing token"}"#, "Invalid or expired pairing token"),
      (#"{"message":"no"}"#, "no"), (#"{"error":"a\r\nb\u001b[0m"}"#, "a  b [0m"),
      (#"{"error":"\#(String(repeating: "x", count: 500))"}"#, String(repeating: "x", count: 200)),
      (#"{"error":" "}"#, nil), (#"{"error":5}"#, nil), ("<html>", nil), ("", nil), ("[1]", nil),
    ] as [(String, String?)])
  func words(body: String, words: String?) {
    #expect(HTTPResponse.json(401, body).words(without: nil) == words)
    let error = error(.json(401, body))
    #expect(error?.words == words.map { "401: \($0)" } ?? "401")
  }

  @Test("What the cloud repeats of a secret is shown to nobody, not even half of it")
  func repeatedSecret() {
    let secret = Secret("canary\"/1")
    let padding = String(repeating: "x", count: 197)
    for text in [#"bad token: canary\"/1!"#, #"\u0063anary\"\/1"#, padding + #"canary\"/1"#] {
      do throws(CloudError) {
        _ = try CloudAnswer.decode(
          .json(500, #"{"error":"\#(text)"}"#), expecting: .object, at: wallTime, hiding: secret)
        Issue.record("this was no success")
      } catch {
        #expect(error.words.contains("…"))
        #expect(!"\(error)".contains("can"))
      }
    }
  }

  @Test(
    "Retry-After counts in seconds or as a date, for 429 and 503, up to five minutes",
    arguments: [
      ("120", 120), ("0", 0), ("301", 300), ("99999999999999999999999", 300),
      ("Sun, 06 Nov 1994 08:51:37 GMT", 120), ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
      ("Mon, 06 Nov 1995 08:49:37 GMT", 300), ("-5", nil), ("soon", nil), ("", nil), ("1.5", nil),
    ] as [(String, Int?)])
  func retryAfter(text: String, seconds: Int?) {
    let field = [HTTPField("retry-after", text)]
    let expected = seconds.map { Duration.seconds($0) }
    #expect(error(.json(429, "{}", field))?.retryAfter == expected)
    #expect(error(.json(503, "{}", field))?.retryAfter == expected)
    #expect(error(.json(500, "{}", field))?.retryAfter == nil)
  }
}

@Suite("PrintDock's waits") struct RetryPolicyTests {
  @Test(
    "1, 2, 4, … 60 s, each times a factor from 0.75 to 1.25, and anew after a success",
    arguments: [
      (0.0, 0.75), (0.5, 1.0), (1.0.nextDown, 1.25),
    ])
  func schedule(random: Double, factor: Double) {
    var backoff = ExponentialBackoff(.printDock)
    for _ in 0..<2 {
      for base in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        let wait = backoff.failed(random: random) / .seconds(1)
        #expect(abs(wait - Double(base) * factor) < 1e-6)
      }
      backoff.succeeded()
    }
  }
}
