import ConnectorKit
import Imaging
import Moonraker
import Networking
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Which camera, and where its frame may be had") struct WebcamPlanTests {
  private func plan(
    _ wish: FrameWish, _ cameras: [WebcamDescription], host: String = "127.0.0.1"
  ) throws(WebcamFailure) -> FramePlan {
    try FramePlan(wish, cameras: .success(cameras), printerHost: host)
  }

  @Test("The first camera that is switched on, or the one of that name")
  func choice() throws {
    var off = WebcamDescription.usual
    off.isEnabled = false
    off.name = "off"
    let back = WebcamDescription.camera("back", snapshot: "http://back.test/")
    #expect(try plan(.any(), [off, .usual, back]).name == "front")
    #expect(try plan(.any(camera: "back"), [off, .usual, back]).name == "back")
    #expect(throws: WebcamFailure.self) { try plan(.any(camera: "off"), [off, .usual]) }
    #expect(throws: WebcamFailure.self) { try plan(.any(camera: "none"), [off, .usual]) }
    #expect(throws: WebcamFailure.self) { try plan(.any(), [off]) }
  }

  @Test("The camera's own addresses first, then the wish's paths; each once, at most eight")
  func order() throws {
    let camera = WebcamDescription.camera("a", snapshot: "webcam/?action=snapshot")
    let addresses = try plan(
      .any(port: 4_408, paths: ["/webcam/?action=snapshot", "/b"]), [camera]
    ).addresses.map(\.url)
    #expect(
      addresses == [
        "http://127.0.0.1:4408/webcam/?action=snapshot",
        "http://127.0.0.1/webcam/?action=snapshot",
        "http://127.0.0.1:8080/webcam/?action=snapshot", "http://127.0.0.1:4408/b",
      ])
    #expect(try plan(.any(paths: (0..<20).map { "/\($0)" }), []).addresses.count == 8)
  }

  @Test("A page's own address stands for all the ports that are guessed otherwise")
  func pageAddress() throws {
    let path = WebcamDescription.camera("a", snapshot: "webcam/?action=snapshot")
    for page in ["https://host.test/voron", "https://host.test/voron/"] {
      var wish = FrameWish.any(paths: ["/b"])
      wish.pageAddress = page
      #expect(
        try plan(wish, [path]).addresses.map(\.url) == [
          "https://host.test/voron/webcam/?action=snapshot", "https://host.test/voron/b",
        ])
      #expect(try plan(wish, [.usual]).addresses.first == plan(.any(), [.usual]).addresses.first)
    }
  }

  @Test("Addresses of a wish stand for Moonraker's cameras, in their order, each time")
  func givenAddresses() throws {
    let wish = FrameWish(
      maximumAge: .zero, maximumBytes: 1_000, addresses: ["http://a.test/1", "http://b.test/2"],
      patience: .seconds(7))
    let failure = WebcamFailure(.unreachable, "Moonraker is away")
    let plan = try FramePlan(wish, cameras: .failure(failure), printerHost: "127.0.0.1")
    #expect(plan.addresses.map(\.url) == ["http://a.test/1", "http://b.test/2"])
    #expect(plan.keepsOrder && plan.patience == .seconds(7))
    let other = FrameWish(maximumAge: .zero, maximumBytes: 1_000, addresses: ["http://a.test/1"])
    #expect(
      try FramePlan(other, cameras: .failure(failure), printerHost: "127.0.0.1").key != plan.key)
  }

  @Test("A camera that is named has no other addresses than its own")
  func named() throws {
    #expect(try plan(.any(camera: "front", paths: ["/x"]), [.usual]).addresses.count == 1)
  }

  @Test(
    "IPv6 hosts are bracketed",
    arguments: [
      ("::1", "http://[::1]:81/x"), ("192.168.1.5", "http://192.168.1.5:81/x"),
      ("fe80::1%eth0", "http://[fe80::1%25eth0]:81/x"), ("voron.local", "http://voron.local:81/x"),
    ])
  func hosts(host: String, url: String) throws {
    let plan = try plan(.any(port: 81, paths: ["x"]), [], host: host)
    #expect(plan.addresses == [FrameAddress(url: url)])
    #expect(URLParts(url) != nil)
  }

  @Test("Without a snapshot address the stream is asked, unless it is no row of pictures")
  func streams() throws {
    var camera = WebcamDescription.camera("a", stream: "/webcam/?action=stream")
    #expect(
      try plan(.any(), [camera]).addresses == [
        FrameAddress(url: "http://127.0.0.1/webcam/?action=stream", isStream: true),
        FrameAddress(url: "http://127.0.0.1:8080/webcam/?action=stream", isStream: true),
      ])
    for service in ["webrtc-camerastreamer", "webrtc-go2rtc", "hlsstream", "iframe"] {
      camera.service = service
      let failure = #expect(throws: WebcamFailure.self) { try plan(.any(), [camera]) }
      #expect(failure?.kind == .noCamera)
      #expect(try plan(.any(paths: ["/x"]), [camera]).addresses.count == 1)
    }
  }

  @Test("Where Moonraker has no list, the wish's paths are asked; without paths it says so")
  func noList() async throws {
    let bench = WebcamBench()
    bench.directory.fail("connection refused")
    _ = try await bench.service.frame(.any(paths: ["/x"]))
    #expect(bench.asked == ["http://127.0.0.1/x"])
    let failure = await bench.failure(.any())
    #expect(failure?.kind == .unreachable)
    #expect(
      failure?.description == "Moonraker's list of cameras is not to be had: connection refused")
    #expect(bench.directory.calls == 1)
  }
}
