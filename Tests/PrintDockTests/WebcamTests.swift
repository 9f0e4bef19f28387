import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PrintDock

@Suite("PrintDock's pictures", .timeLimit(.minutes(2))) struct WebcamTests {
  private func bench(_ cloud: PaperCloud, _ kind: WebcamFailure.Kind? = nil) -> TestBench {
    let bench = TestBench(cloud)
    let time = bench.time
    bench.webcams.list(.success(true))
    bench.webcams.answer { _ throws(WebcamFailure) in
      if let kind { throw WebcamFailure(kind, "the camera does not answer") }
      return WebcamFrame(
        bytes: [0xFF, 0xD8, 0xFF], contentType: "image/jpeg", capturedAt: time.now)
    }
    return bench
  }

  @Test("One picture answers all that wait; another printer's request gets an empty one")
  func pictures() async throws {
    let cloud = PaperCloud()
    let bench = bench(cloud)
    cloud.wantPictures(
      #"{"id":501,"printer_id":262,"created_at":"2026-11-20T08:15:18Z"}"#,
      #"{"id":502,"printer_id":"262"}"#, #"{"id":503,"printer_id":999}"#, "7",
      #"{"id":"..","printer_id":262}"#)
    try await bench.serve(["ui_port": .integer(4_408)]) {
      await bench.pass { bench.calls("upload").count == 3 }
    }
    let uploads = bench.calls("upload")
    #expect(uploads.map(\.method) == ["PUT", "PUT", "PUT"])
    #expect(
      uploads.map(\.path) == [501, 502, 503].map { "/api/v1/webcam_requests/\($0)/upload" })
    #expect(uploads.map { $0.body?.count } == [3, 3, 0])
    #expect(
      uploads.map { $0[field: "Content-Type"] } == ["image/jpeg", "image/jpeg", "application/json"])
    #expect(uploads.map { $0[field: "X-Printer-Id"] } == ["262", "262", "999"])
    for upload in uploads {
      #expect(
        Set(upload.fields.map(\.name)) == [
          "User-Agent", "Content-Type", "X-Printer-Id", "Authorization", "X-Connector-Id",
        ])
    }
    // One for the three.
    #expect(bench.webcams.wishes.count == 1)
    let wish = try #require(bench.webcams.wishes.last)
    #expect(wish.pagePort == 4_408)
    #expect(wish.maximumAge == .seconds(2) && wish.maximumBytes == 10_485_760)
    #expect(
      wish.fallbackPaths == [
        "/webcam/?action=snapshot", "/webcam/snapshot", "/server/webcam/snapshot",
      ])
  }

  @Test("A camera that does not answer is tried three times for a request in half a minute")
  func failing() async throws {
    let cloud = PaperCloud()
    let bench = bench(cloud, .unreachable)
    cloud.wantPictures(#"{"id":501,"printer_id":262}"#)
    try await bench.serve {
      await bench.pass(.seconds(20))
      #expect(bench.webcams.wishes.count == 3)
      #expect(bench.calls("upload").isEmpty)
      #expect(bench.health.last == .online)
      await bench.pass(.seconds(20))
      #expect((4...6).contains(bench.webcams.wishes.count))
    }
    #expect(bench.log.lines.contains { $0.contains("no picture for request 501") })
  }

  @Test(
    "Without a camera nothing is asked, until the list of cameras changes; no picture is fetched")
  func noCamera() async throws {
    let bench = bench(PaperCloud())
    bench.webcams.list(.success(false))
    try await bench.serve {
      await bench.pass(.seconds(120))
      #expect(bench.calls("webcam_requests").isEmpty)
      #expect(bench.webcams.questions == 1)
      bench.webcams.list(.success(true))
      bench.printer.tell(.webcams)
      await bench.pass(.seconds(60))
      #expect((20...32).contains(bench.calls("webcam_requests").count))
      #expect(bench.webcams.questions == 2)
    }
    let poll = try #require(bench.calls("webcam_requests").first)
    #expect(poll.url == "https://www.spoolr.io/api/v1/connectors/46/webcam_requests?limit=10")
    #expect(bench.webcams.wishes.isEmpty)
  }

  @Test("A camera that nobody has told of is found within ten minutes")
  func found() async throws {
    let bench = bench(PaperCloud())
    bench.webcams.list(.success(false))
    try await bench.serve {
      await bench.pass(.seconds(300))
      bench.webcams.list(.success(true))
      #expect(bench.calls("webcam_requests").isEmpty)
      await bench.pass(.seconds(310))
      #expect(!bench.calls("webcam_requests").isEmpty)
    }
  }

  @Test("A list that is not to be had is asked for again soon")
  func noList() async throws {
    let bench = bench(PaperCloud())
    bench.webcams.list(.failure(WebcamFailure(.unreachable, "no list")))
    try await bench.serve {
      await bench.pass(.seconds(60))
      #expect((11...13).contains(bench.webcams.questions))
      #expect(bench.calls("webcam_requests").isEmpty)
      bench.webcams.list(.success(true))
      await bench.pass(.seconds(10))
      #expect(!bench.calls("webcam_requests").isEmpty)
    }
  }

  @Test(
    "Who has written the interval is asked for pictures of a camera that Moonraker does not list")
  func written() async throws {
    let cloud = PaperCloud()
    let bench = bench(cloud)
    bench.webcams.list(.success(false))
    try await bench.serve(["webcam_poll_seconds": .duration(.seconds(2))]) {
      await bench.pass(.seconds(20))
      #expect(bench.webcams.questions == 0)
      #expect(bench.webcams.wishes.isEmpty)
      cloud.wantPictures(#"{"id":501,"printer_id":262}"#)
      await bench.pass { bench.calls("upload").count == 1 }
    }
    #expect(bench.webcams.wishes.map(\.fallbackPaths.count) == [3])
  }

  @Test("Zero seconds mean never, also for the camera")
  func off() async throws {
    let bench = bench(PaperCloud())
    try await bench.serve(["webcam_poll_seconds": .duration(.zero)]) {
      await bench.pass(.seconds(60))
    }
    #expect(bench.calls("webcam_requests").isEmpty)
    #expect(bench.webcams.wishes.isEmpty)
    #expect(bench.webcams.questions == 0)
  }

  @Test("A request that PrintDock does not take any more is no trouble")
  func gone() async throws {
    let cloud = PaperCloud()
    let bench = bench(cloud)
    cloud.answer("upload", 404)
    cloud.wantPictures(#"{"id":501,"printer_id":262}"#)
    try await bench.serve {
      await bench.pass(.seconds(20))
      #expect(bench.calls("upload").count == 3)
      #expect(bench.health.last == .online)
    }
  }
}
