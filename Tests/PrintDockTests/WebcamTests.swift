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
    // One to see whether there is a camera, one for the three.
    #expect(bench.webcams.wishes.count == 2)
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
      #expect(bench.webcams.wishes.count == 4)
      #expect(bench.calls("upload").isEmpty)
      #expect(bench.health.last == .online)
      await bench.pass(.seconds(20))
      #expect((5...7).contains(bench.webcams.wishes.count))
    }
    #expect(bench.log.lines.contains { $0.contains("no picture for request 501") })
  }

  @Test("Without a camera nothing is asked, until the list of cameras changes")
  func noCamera() async throws {
    let cloud = PaperCloud()
    let bench = bench(cloud, .noCamera)
    try await bench.serve {
      await bench.pass(.seconds(120))
      #expect(bench.calls("webcam_requests").isEmpty)
      #expect(bench.webcams.wishes.count == 1)
      let time = bench.time
      bench.webcams.answer { _ in
        WebcamFrame(bytes: [0xFF], contentType: "image/jpeg", capturedAt: time.now)
      }
      bench.printer.tell(.webcams)
      await bench.pass(.seconds(60))
      #expect((28...32).contains(bench.calls("webcam_requests").count))
    }
    let poll = try #require(bench.calls("webcam_requests").first)
    #expect(poll.url == "https://www.spoolr.io/api/v1/connectors/46/webcam_requests?limit=10")
  }

  @Test("Zero seconds mean never, also for the camera")
  func off() async throws {
    let bench = bench(PaperCloud())
    try await bench.serve(["webcam_poll_seconds": .duration(.zero)]) {
      await bench.pass(.seconds(60))
    }
    #expect(bench.calls("webcam_requests").isEmpty)
    #expect(bench.webcams.wishes.isEmpty)
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
