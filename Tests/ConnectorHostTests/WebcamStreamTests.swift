import ConnectorKit
import Imaging
import Moonraker
import Networking
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("One frame of a stream") struct WebcamStreamTests {
  static let frame = HTTPResponse.picture().body
  static func part(_ head: String, _ tail: String = "\r\n--frame") -> [UInt8] {
    Array("--frame\r\n\(head)\r\n\r\n".utf8) + frame + Array(tail.utf8)
  }
  static let streams: [[UInt8]] = [
    part("Content-Type: image/jpeg\r\nContent-Length: \(frame.count)"),
    part("content-length:\(frame.count)\r\nX-Timestamp: 1.5", ""),
    part("Content-Type: image/jpeg"), part("Content-Type: image/jpeg", "\n--frame"),
    part("Content-Length: many"), part("Content-Length: -5"),
    Array("\r\n".utf8) + part("Content-Type: image/jpeg") + frame,
  ]

  @Test("The first picture ends by its length or by the next boundary", arguments: streams)
  func firstFrame(stream: [UInt8]) throws {
    #expect(MJPEGStream.isEnough(stream))
    #expect(MJPEGStream.firstFrame(in: stream) == Self.frame)
    let enough = try #require(
      (0...stream.count).first { MJPEGStream.isEnough(Array(stream.prefix($0))) })
    #expect(enough > Self.frame.count)
    for count in 0..<enough {
      #expect(MJPEGStream.firstFrame(in: Array(stream.prefix(count))) == nil)
    }
    #expect(MJPEGStream.firstFrame(in: Array(stream.prefix(enough))) == Self.frame)
  }

  @Test("A stream without pictures is enough after 64 kB")
  func noPictures() {
    #expect(!MJPEGStream.isEnough([UInt8](repeating: 65, count: 64 << 10)))
    #expect(MJPEGStream.isEnough([UInt8](repeating: 65, count: 65 << 10)))
    #expect(MJPEGStream.firstFrame(in: [UInt8](repeating: 65, count: 65 << 10)) == nil)
  }

  @Test("A camera with a stream only yields its first picture")
  func throughTheService() async throws {
    let camera = WebcamDescription.camera("a", stream: "http://cam.test/stream")
    let bench = WebcamBench([camera]) { request, _ throws(NetworkError) in
      #expect(request.endsAnswer?(Self.streams[0]) == true)
      return HTTPResponse(
        status: 200,
        fields: [HTTPField("Content-Type", "multipart/x-mixed-replace;boundary=frame")],
        body: Self.streams[0] + Self.streams[0].prefix(200))
    }
    #expect(try await bench.service.frame(.any()).bytes == Self.frame)
  }

  @Test("A real stream without end yields its first picture, and the connection is closed")
  func overTheNetwork() async throws {
    let network = try Network()
    let server = try EndlessCamera()
    let camera = WebcamDescription.camera("a", stream: server.url)
    let service = HostWebcams(
      directory: ScriptedDirectory([camera]), transport: network.client(),
      printerHost: "127.0.0.1", time: SystemTime.shared)
    #expect(try await service.frame(.any()).bytes == Self.frame)
    await until { server.hasBeenLeft }
  }
}
