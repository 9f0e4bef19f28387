import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import ReachRelay

/// The far side of these tests: a relay that takes everything, and a database whose stream the test plays.
private final class FarSides: Sendable {
  private let stream = Guarded<(@Sendable ([UInt8]) -> Bool)?>(nil)
  /// Ends with the stream: when who listens wants no more of it.
  private let (life, death) = AsyncStream.makeStream(of: Never.self)
  /// What a picture is answered with.
  let picture = Guarded(HTTPResponse(status: 200))

  func answer(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    if let takesPiece = request.takesPiece {
      stream.withLock { $0 = takesPiece }
      for await _ in life {}
      guard !Task.isCancelled else { return try await ScriptedTransport.silence() }
      return .ok()
    }
    return request.path.hasSuffix("webcam-snapshot") ? picture.withLock { $0 } : .ok()
  }

  /// Whether somebody listens.
  var isListening: Bool { stream.withLock { $0 != nil } }

  /// Sends an event to who listens.
  func send(_ name: String, _ data: String) {
    let takesPiece = stream.withLock { $0 }
    let event = Array("event: \(name)\ndata: \(data)\n\n".utf8)
    if takesPiece?(event) == false { death.finish() }
  }

  func put(_ stamp: WallTime?) {
    let value = stamp.map { "\($0.millisecondsSinceEpoch)" } ?? "null"
    send("put", #"{"path":"/","data":\#(value)}"#)
  }
}

@Suite("Reach: pictures", .timeLimit(.minutes(1))) struct ReachWebcamTests {
  private static let paired: JSONObject = ["token": "t1", "printer_id": "p"]
  private static let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xD9]
  private static let database: [String: SettingValue] = [
    "firebase.url": .string("https://db.test"), "firebase.token": .secret(Secret("key-1")),
  ]

  private func bench(_ far: FarSides) -> TestBench {
    let bench = TestBench.reach(identity: Self.paired) { request, _ throws(NetworkError) in
      try await far.answer(request)
    }
    bench.webcams.answer { [time = bench.time] _ in
      WebcamFrame(bytes: Self.jpeg, contentType: "image/jpeg", capturedAt: time.now)
    }
    return bench
  }

  private func pictures(_ bench: TestBench) -> [HTTPRequest] {
    bench.transport.requests.filter { $0.path == "/api/reach-link/webcam-snapshot" }
  }

  private func calls(_ bench: TestBench, _ suffix: String) -> [HTTPRequest] {
    bench.transport.requests.filter { $0.path.hasSuffix(suffix) }
  }

  /// Moves the clock on in steps of a second, each of which everything has seen.
  private func pass(_ seconds: Int, _ bench: TestBench) async {
    for _ in 0..<seconds {
      bench.time.advance(by: .seconds(1))
      await bench.executor.idle()
    }
  }

  @Test("Without Firebase no picture is taken, and nothing is sent but to the relay")
  func quiet() async throws {
    let far = FarSides()
    let bench = bench(far)
    try await bench.run(try await bench.backend([:])) {
      _ = try await bench.transport.requests(atLeast: 2)
      await pass(120, bench)
    }
    #expect(bench.webcams.wishes.isEmpty)
    #expect(bench.transport.requests.allSatisfy { $0.url.hasPrefix("https://relay.example.com/") })
  }

  @Test("A viewer comes and goes: pictures meanwhile, at the interval, and at no other time")
  func viewer() async throws {
    let far = FarSides()
    let bench = bench(far)
    try await bench.run(try await bench.backend(Self.database)) {
      await until { far.isListening }
      far.put(nil)
      await pass(30, bench)
      #expect(bench.webcams.wishes.isEmpty)
      far.put(bench.time.wallTime)
      await until { pictures(bench).count == 1 }
      await pass(20, bench)
      #expect(pictures(bench).count == 5)
      far.put(nil)
      await pass(60, bench)
      #expect(pictures(bench).count == 5)
      // One that leaves without a word is gone when its time is over.
      far.put(bench.time.wallTime)
      await until { pictures(bench).count == 6 }
      await pass(120, bench)
      #expect(pictures(bench).count == 5 + 12)
    }
    let picture = try #require(pictures(bench).first)
    #expect(picture.method == "POST")
    #expect(picture.body == Self.jpeg)
    #expect(picture[field: "Content-Type"] == "image/jpeg")
    #expect(picture[field: "X-Printer-Id"] == "p")
    #expect(picture.bearerToken == "t1")
    #expect(picture.timeout == .seconds(15))
    #expect(bench.webcams.wishes.count == pictures(bench).count)
    #expect(bench.webcams.wishes.allSatisfy { $0.maximumBytes == 5 << 20 && $0.mustBeJPEG })
    #expect(!bench.log.lines.contains { $0.contains("key-1") || $0.contains("auth=") })
  }

  @Test("In mode always no Firebase is needed")
  func always() async throws {
    let far = FarSides()
    let bench = bench(far)
    let settings: [String: SettingValue] = [
      "webcam.mode": .string("always"), "webcam.interval": .duration(.seconds(20)),
      "webcam.camera": .string("bed"),
    ]
    try await bench.run(try await bench.backend(settings)) {
      await until { pictures(bench).count == 1 }
      await pass(60, bench)
    }
    #expect(pictures(bench).count == 4)
    #expect(bench.webcams.wishes.allSatisfy { $0.camera == "bed" })
  }

  @Test("In mode off nobody is asked for viewers, and no picture is taken")
  func off() async throws {
    let far = FarSides()
    let bench = bench(far)
    let settings = Self.database.merging(["webcam.mode": .string("off")]) { $1 }
    try await bench.run(try await bench.backend(settings)) {
      await until { calls(bench, "/status.json").count == 1 }
      await pass(60, bench)
    }
    #expect(!far.isListening)
    #expect(bench.webcams.wishes.isEmpty)
    #expect(calls(bench, "/webcamViewerTs.json").isEmpty)
    #expect(
      calls(bench, "/status.json").count == calls(bench, "/printer-data").count)
  }

  @Test("A relay that does not take pictures gets none for an hour; all else goes on")
  func refused() async throws {
    let far = FarSides()
    far.picture.withLock { $0 = HTTPResponse(status: 413) }
    let bench = bench(far)
    let settings: [String: SettingValue] = [
      "webcam.mode": .string("always"), "heartbeat_interval": .duration(.seconds(600)),
      "telemetry_idle_interval": .duration(.seconds(600)),
    ]
    try await bench.run(try await bench.backend(settings)) {
      await until { pictures(bench).count == 1 }
      await pass(3_590, bench)
      #expect(pictures(bench).count == 1)
      await pass(15, bench)
      #expect(pictures(bench).count == 2)
    }
    #expect(calls(bench, "/register").count == 7)
    #expect(bench.health == [.online])
    #expect(
      bench.log.lines.filter { $0.contains("webcam") }.first
        == "warning reach webcam: relay.example.com does not take it (status 413); off for an hour")
  }

  @Test(
    "A picture that is not accepted revokes nothing: the next one goes after the next heartbeat")
  func unauthorised() async throws {
    let far = FarSides()
    far.picture.withLock { $0 = HTTPResponse(status: 401) }
    let bench = bench(far)
    let settings: [String: SettingValue] = [
      "webcam.mode": .string("always"), "telemetry_idle_interval": .duration(.seconds(600)),
    ]
    try await bench.run(try await bench.backend(settings)) {
      await until { pictures(bench).count >= 1 }
      await pass(300, bench)
    }
    // One with each heartbeat at most, and one before the first report was answered perhaps.
    #expect((9...13).contains(pictures(bench).count))
    #expect(calls(bench, "/register").count >= 10)
    #expect(bench.health == [.online])
  }

  @Test("A relay that asks to wait for a picture has all calls wait")
  func waits() async throws {
    let far = FarSides()
    far.picture.withLock {
      $0 = HTTPResponse(status: 429, fields: [HTTPField("Retry-After", "120")])
    }
    let bench = bench(far)
    try await bench.run(try await bench.backend(["webcam.mode": .string("always")])) {
      await until { pictures(bench).count == 1 }
      await bench.executor.idle()
      let before = bench.transport.requests.count
      await pass(118, bench)
      #expect(bench.transport.requests.count == before)
      await pass(3, bench)
      #expect(bench.transport.requests.count > before)
    }
  }

  @Test("A camera that fails disturbs nothing, and is tried again with the next picture")
  func brokenCamera() async throws {
    let far = FarSides()
    let bench = bench(far)
    bench.webcams.answer { _ throws(WebcamFailure) in
      throw WebcamFailure(.unreachable, "camera: away")
    }
    try await bench.run(try await bench.backend(["webcam.mode": .string("always")])) {
      await until { bench.webcams.wishes.count == 1 }
      await pass(20, bench)
    }
    #expect(bench.webcams.wishes.count == 5)
    #expect(pictures(bench).isEmpty)
    #expect(bench.health == [.online])
    #expect(
      bench.log.lines.filter { $0.contains("webcam") } == [
        "warning reach webcam: no picture: camera: away",
        "warning reach webcam: no picture: camera: away (2 times)",
        "warning reach webcam: no picture: camera: away (4 times)",
      ])
  }

  @Test("A database that does not take the token is left alone; the relay notices nothing")
  func refusedDatabase() async throws {
    let far = FarSides()
    let bench = bench(far)
    try await bench.run(try await bench.backend(Self.database)) {
      await until { far.isListening }
      far.put(bench.time.wallTime)
      await until { pictures(bench).count == 1 }
      far.send("auth_revoked", "null")
      await bench.executor.idle()
      await pass(120, bench)
    }
    #expect(pictures(bench).count == 1)
    #expect(calls(bench, "/webcamViewerTs.json").count == 1)
    #expect(calls(bench, "/register").count == 5)
    #expect(bench.health == [.online])
    #expect(bench.log.lines.filter { $0.contains("Firebase is off") }.count == 1)
  }
}
