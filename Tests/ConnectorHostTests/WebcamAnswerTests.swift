import ConnectorKit
import Imaging
import Moonraker
import Networking
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("What a webcam answers") struct WebcamAnswerTests {
  @Test("A web page with status 200 is no picture, and the next address is tried")
  func webPage() async throws {
    let bench = WebcamBench([]) { request, _ throws(NetworkError) in
      request.url.hasSuffix("snapshot") ? .webPage : .picture()
    }
    let wish = FrameWish.any(paths: ["/webcam/?action=snapshot", "server/webcam"])
    _ = try await bench.service.frame(wish)
    #expect(
      bench.asked == ["http://127.0.0.1/webcam/?action=snapshot", "http://127.0.0.1/server/webcam"])
  }

  @Test("A page that calls itself a picture is none either", arguments: ["image/jpeg", nil])
  func disguised(type: String?) async {
    let bench = WebcamBench { _, _ throws(NetworkError) in
      HTTPResponse(
        status: 200, fields: type.map { [HTTPField("Content-Type", $0)] } ?? [],
        body: Array("<html>".utf8))
    }
    #expect(await bench.failure(.any())?.kind == .notAnImage)
  }

  @Test("A picture without a type is one; a picture that calls itself a page is none")
  func types() async throws {
    let untyped = WebcamBench { _, _ throws(NetworkError) in .picture(type: nil) }
    _ = try await untyped.service.frame(.any())
    let page = WebcamBench { _, _ throws(NetworkError) in .picture(type: "text/html") }
    #expect(await page.failure(.any())?.kind == .notAnImage)
  }

  @Test("More than 10 MiB are an error, not a cut picture")
  func tooLarge() async {
    let bench = WebcamBench { request, _ throws(NetworkError) in
      #expect(request.answerLimit == 10 << 20)
      throw NetworkError(.tooLarge, "the answer is larger than 10485760 bytes")
    }
    #expect(await bench.failure(.any())?.kind == .tooLarge)
    let careless = WebcamBench { _, _ throws(NetworkError) in
      HTTPResponse(status: 200, body: [0xFF, 0xD8, 0xFF] + [UInt8](repeating: 0, count: 12 << 20))
    }
    #expect(await careless.failure(.any())?.kind == .tooLarge)
  }

  @Test("An address that says nothing is left after five seconds")
  func hang() async throws {
    let bench = WebcamBench([]) { request, _ throws(NetworkError) in
      if request.url.hasSuffix("/dead") { return try await ScriptedTransport.silence() }
      return .picture()
    }
    let frame = Task { try await bench.service.frame(.any(paths: ["/dead", "/alive"])) }
    _ = try await bench.transport.requests(atLeast: 1)
    #expect(bench.transport.requests[0].timeout == .seconds(5))
    bench.time.advance(to: await bench.time.nextDeadline())
    _ = try await frame.value
    #expect(bench.time.now.sinceOrigin == .seconds(1_005))
    #expect(bench.asked.count == 2)
  }

  @Test("The address that worked last is asked first")
  func goodAddressFirst() async throws {
    let bench = WebcamBench([]) { request, _ throws(NetworkError) in
      request.url.hasSuffix("/b") ? .picture() : HTTPResponse(status: 404)
    }
    _ = try await bench.service.frame(.any(paths: ["/a", "/b"]))
    bench.time.advance(by: .seconds(60))
    _ = try await bench.service.frame(.any(paths: ["/a", "/b"]))
    #expect(bench.asked == ["http://127.0.0.1/a", "http://127.0.0.1/b", "http://127.0.0.1/b"])
  }

  @Test("A truncated or broken JPEG is no picture")
  func truncated() async {
    let bench = WebcamBench { _, _ throws(NetworkError) in
      var answer = HTTPResponse.picture()
      answer.body.removeLast(100)
      return answer
    }
    let failure = await bench.failure(.any())
    #expect(failure?.kind == .notAnImage)
    #expect(failure?.description == "front: the JPEG is cut off")
  }

  @Test("A redirect on the same host is followed, one to another host or without TLS is not")
  func redirects() async throws {
    let targets = [
      "https://cam.test/snap": "/a", "https://cam.test/a": "http://cam.test/b",
    ]
    let script: ScriptedTransport.Script = { request, _ throws(NetworkError) in
      guard let target = targets[request.url] else { return .picture() }
      return HTTPResponse(status: 302, fields: [HTTPField("Location", target)])
    }
    let bench = WebcamBench(
      [.camera("a", snapshot: "https://cam.test/snap")], script)
    #expect(await bench.failure(.any())?.kind == .unreachable)
    #expect(bench.asked == ["https://cam.test/snap", "https://cam.test/a"])
    let other = WebcamBench { _, _ throws(NetworkError) in
      HTTPResponse(status: 302, fields: [HTTPField("Location", "http://other.test/snap")])
    }
    #expect(await other.failure(.any()) != nil)
    #expect(other.asked.count == 1)
    let endless = WebcamBench { _, number throws(NetworkError) in
      HTTPResponse(status: 302, fields: [HTTPField("Location", "/\(number)")])
    }
    #expect(await endless.failure(.any()) != nil)
    #expect(endless.asked.count == 4)
  }

  @Test("PNG and WebP pass as they came, unless it must be a JPEG or they are too large")
  func otherKinds() async throws {
    for (name, type) in [("picture.png", "image/png"), ("picture.webp", "image/webp")] {
      let bench = WebcamBench { _, _ throws(NetworkError) in .picture(name, type: type) }
      let frame = try await bench.service.frame(.any(age: 5, jpeg: false))
      #expect(frame.contentType == type)
      #expect(frame.bytes == HTTPResponse.picture(name).body)
      #expect(await bench.failure(.any(age: 5))?.kind == .notAnImage)
      #expect(await bench.failure(.any(age: 5, bytes: 100, jpeg: false))?.kind == .tooLarge)
      #expect(bench.asked.count == 1)
    }
  }

  @Test("What cannot be made as small as wished is an error for that wish only")
  func tooSmall() async throws {
    let bench = WebcamBench()
    #expect(await bench.failure(.any(age: 5, bytes: 20))?.kind == .tooLarge)
    _ = try await bench.service.frame(.any(age: 5))
    #expect(bench.asked.count == 1)
  }

  @Test("The frame is turned and mirrored as the owner has set it, for all alike")
  func orientation() async throws {
    var camera = WebcamDescription.usual
    camera.rotation = 90
    camera.flipsHorizontally = true
    let bench = WebcamBench([camera])
    let frame = try await bench.service.frame(.any(age: 5))
    let expected = try JPEGImage(HTTPResponse.picture().body)
      .turned(Orientation(clockwise: 90, mirrored: true))
    #expect(frame.bytes == expected.bytes)
    #expect(try JPEGImage(frame.bytes).width == 48)
    camera.rotation = 0
    bench.directory.become([camera])
    bench.time.advance(by: .seconds(2))
    #expect(try JPEGImage(await bench.service.frame(.any(age: 5)).bytes).width == 64)
    #expect(bench.asked.count == 2)
  }

  @Test("No failure shows a user, a password or a query")
  func secrets() async {
    let url = "http://admin:canary@cam.test/snap?token=canary"
    let camera = WebcamDescription.camera("a", snapshot: url)
    let answers: [Result<HTTPResponse, NetworkError>] = [
      .success(HTTPResponse(status: 401)), .success(.webPage),
      .success(.picture(type: "multipart/x-mixed-replace")),
      .failure(NetworkError(.connect, "cam.test:80: refused")),
      .failure(NetworkError(.timeout, "slow")), .failure(NetworkError(.tooLarge, "large")),
    ]
    for answer in answers {
      let bench = WebcamBench([camera]) { _, _ throws(NetworkError) in try answer.get() }
      let words = await bench.failure(.any())?.description
      #expect(words?.contains("canary") == false)
      #expect(words?.contains("http://cam.test/snap") == true)
    }
  }
}
