import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import ReachRelay

@Suite("Reach: requests to Firebase", .timeLimit(.minutes(1))) struct FirebaseClientTests {
  private static let settings: [String: SettingValue] = [
    "relay": .string("https://relay.test"), "firebase.url": .string("https://db.test/base/"),
    "firebase.token": .secret(Secret("a b&c=d")),
  ]

  private func client(_ bench: TestBench) throws -> FirebaseClient {
    let configuration = try ReachConfiguration(.written(Self.settings))
    return FirebaseClient(
      try #require(configuration.firebase), printerID: "printer/1", configuration: configuration,
      context: bench.context("reach"))
  }

  /// A stream that brings these pieces and then goes on as `after` says.
  private func listen(
    _ pieces: [String], _ bench: TestBench,
    after: @escaping ScriptedTransport.Script = { _, _ throws(NetworkError) in
      try await ScriptedTransport.silence()
    }, meanwhile: (ViewerFeed) async -> Void = { _ in }
  ) async throws -> (end: StreamEnd, feed: ViewerFeed, announcements: Int) {
    let announcements = Counter()
    bench.transport.follow { request, number throws(NetworkError) in
      for piece in pieces where request.takesPiece?(Array(piece.utf8)) == false {
        return HTTPResponse(status: 200)
      }
      return try await after(request, number)
    }
    let feed = ViewerFeed(time: bench.time) { _ in announcements.increment() }
    let client = try client(bench)
    async let end = client.listen(into: feed)
    await meanwhile(feed)
    return (try await end, feed, announcements.value)
  }

  private func put(_ stamp: Int) -> String {
    "event: put\ndata: {\"path\":\"/\",\"data\":\(stamp)}\n\n"
  }

  @Test(
    "Each request goes to the printer's own node with the token in the query, as the wire wants")
  func requests() async throws {
    let bench = TestBench { _, _ in .json(200, "5") }
    let client = try client(bench)
    #expect(try await client.patch(["state": "idle"]) == .accepted(5))
    #expect(try await client.stamp() == .accepted(5))
    let sent = bench.transport.requests
    #expect(
      sent.map(\.url) == [
        "https://db.test/base/printers/printer%2F1/status.json?auth=a%20b%26c%3Dd",
        "https://db.test/base/printers/printer%2F1/live/webcamViewerTs.json?auth=a%20b%26c%3Dd",
      ])
    #expect(sent.map(\.method) == ["PATCH", "GET"])
    #expect(sent.allSatisfy { $0[field: "Content-Type"] == "application/json" })
    #expect(sent.allSatisfy { $0.timeout == .seconds(10) && $0.answerLimit == 1 << 16 })
    #expect(sent[0].json == ["state": "idle"])
    #expect(sent[1].body == nil)
  }

  @Test("A stream says what it wants and knows its limits")
  func streamRequest() async throws {
    let bench = TestBench { _, _ in HTTPResponse(status: 200) }
    let (end, _, _) = try await listen([], bench, after: { _, _ in HTTPResponse(status: 200) })
    #expect(end == .closed)
    let request = try #require(bench.transport.requests.first)
    #expect(request[field: "Accept"] == "text/event-stream")
    #expect(request.answerLimit == 1 << 20)
    #expect(request.stallTimeout == .seconds(90))
  }

  @Test("However much comes, only the newest stamp lies there, and is announced once")
  func newest() async throws {
    let bench = TestBench { _, _ in HTTPResponse(status: 200) }
    let (_, feed, announcements) = try await listen(
      (1...1_000).map(put), bench, after: { _, _ in HTTPResponse(status: 200) })
    #expect(announcements == 1)
    #expect(feed.collect() == .some(.some(1_000)))
    #expect(feed.collect() == nil)
    #expect(feed.take(Array(put(7).utf8)))
    #expect(feed.collect() == .some(.some(7)))
  }

  @Test(
    "What ends a stream from this side",
    arguments: [
      ("event: auth_revoked\ndata: \"expired\"\n\n", .revoked),
      ("event: cancel\ndata: null\n\n", .cancelled),
      ("event: put\ndata: {\n\n", .defective("an event that cannot be read")),
      (String(repeating: "x", count: 5_000), .defective("a line too long")),
      (String(repeating: "data:\n", count: 20_000), .defective("an event too large")),
    ] as [(String, StreamEnd)])
  func ends(text: String, end: StreamEnd) async throws {
    let bench = TestBench { _, _ in HTTPResponse(status: 200) }
    let result = try await listen([put(5), text], bench)
    #expect(result.end == end)
    #expect(result.feed.collect() == .some(.some(5)), "what came before counts")
    #expect(!result.feed.take(Array(put(6).utf8)), "what comes after does not")
    #expect(result.feed.collect() == nil)
  }

  @Test("A stream whose first event does not come is given up after 15 s")
  func heldBack() async throws {
    let bench = TestBench { _, _ in HTTPResponse(status: 200) }
    let begin = bench.time.now
    let result = try await listen(
      [": just a comment\n\n"], bench,
      meanwhile: { _ in await bench.time.advanceToNextDeadline() })
    #expect(result.end == .silent)
    #expect(begin.duration(to: bench.time.now) == .seconds(15))
  }

  @Test("A stream that falls silent is given up after 90 s; each keep-alive counts")
  func silent() async throws {
    let bench = TestBench { _, _ in HTTPResponse(status: 200) }
    let begin = bench.time.now
    let result = try await listen(
      [put(5)], bench,
      meanwhile: { feed in
        await until { feed.lastHeard != nil }
        await bench.time.sleepers(atLeast: 1)
        bench.time.advance(by: .seconds(60))
        #expect(feed.take(Array("event: keep-alive\ndata: null\n\n".utf8)))
        await until {
          if let next = bench.time.deadlines.first { bench.time.advance(to: next) }
          return begin.duration(to: bench.time.now) >= .seconds(150)
        }
      })
    #expect(result.end == .silent)
    #expect(begin.duration(to: bench.time.now) == .seconds(150))
  }

  @Test(
    "What comes instead of a stream",
    arguments: [
      (401, .refused(.unauthorised)), (404, .refused(.refused(status: 404))),
      (307, .refused(.redirected(host: "elsewhere.test"))),
      (503, .refused(.wait(status: 503, .seconds(9)))), (500, .refused(.refused(status: 500))),
    ] as [(Int, StreamEnd)])
  func noStream(status: Int, end: StreamEnd) async throws {
    let bench = TestBench { _, _ in HTTPResponse(status: 200) }
    let result = try await listen(
      [], bench,
      after: { _, _ in
        .json(
          status, #"{"error":"a b&c=d"}"#,
          [HTTPField("Location", "https://elsewhere.test/?auth=x"), HTTPField("Retry-After", "9")])
      })
    #expect(result.end == end)
    #expect(result.end.problem(host: "db.test")?.contains("a b") == false)
    #expect(result.end.problem(host: "db.test")?.contains("auth=") == false)
  }

  @Test("Failures on the way", arguments: [NetworkError.Kind.connect, .tooLarge, .timeout])
  func failures(kind: NetworkError.Kind) async throws {
    let bench = TestBench { _, _ in HTTPResponse(status: 200) }
    let result = try await listen(
      [put(5)], bench,
      after: { _, _ throws(NetworkError) in
        throw NetworkError(kind, "db.test:443: trouble")
      })
    switch kind {
    case .tooLarge: #expect(result.end == .defective("more than 1048576 bytes"))
    case .timeout: #expect(result.end == .silent)
    default: #expect(result.end == .refused(.unreachable(kind, "db.test:443: trouble")))
    }
  }

  @Test(
    "The token goes out over https only, but for this very host",
    arguments: [
      ("https://db.test", true), ("https://db.test:8443/a/", true), ("http://127.0.0.1:9000", true),
      ("http://db.test", false), ("http://192.168.1.4:9000", false), ("https://me@db.test", false),
      ("https://db.test/?ns=x", false), ("https://db.test/#x", false), ("db.test", false),
      ("wss://db.test", false),
    ])
  func addresses(url: String, isValid: Bool) {
    #expect((FirebaseAddress(url) != nil) == isValid)
  }
}
