import ConnectorKit
import Foundation
import JSON
import Moonraker
import Networking
import Platform
import TestSupport

@testable import ConnectorHost

/// A webcam service on paper: cameras, what their addresses answer, and a clock.
struct WebcamBench {
  let time = ManualTime()
  let directory: ScriptedDirectory
  let transport: ScriptedTransport
  let service: HostWebcams

  /// A service whose addresses answer by `script`.
  init(
    _ cameras: [WebcamDescription] = [.usual], host: String = "127.0.0.1",
    _ script: @escaping ScriptedTransport.Script = { _, _ throws(NetworkError) in .picture() }
  ) {
    directory = ScriptedDirectory(cameras)
    transport = ScriptedTransport(script)
    service = HostWebcams(
      directory: directory, transport: transport, printerHost: host, time: time)
  }

  /// The addresses that were asked, in order.
  var asked: [String] { transport.requests.map(\.url) }

  /// The failure that `wish` ends with; nil when it yields a frame.
  func failure(_ wish: FrameWish) async -> WebcamFailure? {
    do throws(WebcamFailure) {
      _ = try await service.frame(wish)
      return nil
    } catch {
      return error
    }
  }
}

/// A directory of cameras on paper.
final class ScriptedDirectory: CameraDirectory {
  private let state: Guarded<(cameras: [WebcamDescription], failure: String?, calls: Int)>

  init(_ cameras: [WebcamDescription]) { state = Guarded((cameras, nil, 0)) }

  /// How often it was asked.
  var calls: Int { state.withLock { $0.calls } }
  /// Has `cameras` from now on.
  func become(_ cameras: [WebcamDescription]) { state.withLock { $0.cameras = cameras } }
  /// Fails from now on.
  func fail(_ words: String) { state.withLock { $0.failure = words } }

  func cameras() async throws -> [WebcamDescription] {
    try state.withLock { state in
      state.calls += 1
      if let failure = state.failure { throw NetworkError(.connect, failure) }
      return state.cameras
    }
  }
}

extension WebcamDescription {
  /// One camera at an absolute address.
  static let usual = camera("front", uid: "1", snapshot: "http://cam.test/snap")

  /// A camera as Moonraker lists it.
  static func camera(
    _ name: String, uid: String = "", service: String = "mjpegstreamer", snapshot: String = "",
    stream: String = ""
  ) -> WebcamDescription {
    let listed: JSONValue = [
      "name": .string(name), "uid": .string(uid), "service": .string(service),
      "snapshot_url": .string(snapshot), "stream_url": .string(stream),
    ]
    guard let camera = WebcamDescription(listed) else { preconditionFailure("no name") }
    return camera
  }
}

extension FrameWish {
  /// A wish for a picture of any size.
  static func any(
    camera: String? = nil, age: Int = 0, bytes: Int = 10 << 20, side: Int? = nil,
    jpeg: Bool = true, port: Int = 80, paths: [String] = []
  ) -> FrameWish {
    FrameWish(
      camera: camera, maximumAge: .seconds(age), maximumBytes: bytes, maximumSide: side,
      mustBeJPEG: jpeg, pagePort: port, fallbackPaths: paths)
  }
}

extension HTTPResponse {
  /// A picture of the fixtures, as a camera sends it.
  static func picture(_ name: String = "baseline-422.jpg", type: String? = "image/jpeg")
    -> HTTPResponse
  {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/images")
    let bytes = (try? Data(contentsOf: folder.appendingPathComponent(name))) ?? Data()
    return HTTPResponse(
      status: 200, fields: type.map { [HTTPField("Content-Type", $0)] } ?? [], body: [UInt8](bytes))
  }

  /// What a web interface answers to any path.
  static let webPage = HTTPResponse(
    status: 200, fields: [HTTPField("Content-Type", "text/html; charset=utf-8")],
    body: Array("<!doctype html><title>Mainsail</title>".utf8))
}
