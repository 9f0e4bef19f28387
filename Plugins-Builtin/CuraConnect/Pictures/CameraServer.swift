internal import ConnectorKit
internal import HTTPServer
internal import Platform

/// Shows the camera where Cura looks for it: on port 8080, as JPEGs one after the other. The webcam service fetches each
/// picture once for all who look, and none while nobody does; a slow viewer is shown fewer.
struct CameraServer: Sendable {
  private static let boundary = "uplink-frame"
  /// The time from one picture to the next.
  private static let interval = Duration.milliseconds(200)
  /// So long until it is tried again where there is no picture.
  private static let pause = Duration.seconds(2)
  private static let mostBytes = 1 << 20

  let context: BackendContext
  let access: PeerAccess

  /// What the server keeps.
  static let options: HTTPServer.Options = {
    var options = HTTPServer.Options(
      headerBytes: 16 << 10, connections: 8, connectionsPerAddress: 4, timeout: .seconds(60))
    options.streamsBodies = true
    options.drainBytes = 1 << 10
    options.headerTimeout = .seconds(10)
    options.stallTimeout = .seconds(20)
    options.foreignHostStatus = 403
    return options
  }()

  /// Answers a request.
  func reply(to request: HTTPServer.Request) -> HTTPServer.Reply {
    guard access.allows(request) else { return .now(JSONAnswer.message(403, "Not from there.")) }
    guard request.method == "GET" || request.method == "HEAD" else {
      return .now(JSONAnswer.message(405, "Only GET.", fields: [("Allow", "GET, HEAD")]))
    }
    let action = request.query.first { $0.name == "action" }?.value
    switch (request.path, action) {
    case ("/", "stream"), ("/stream", nil): return stream()
    case ("/", "snapshot"), ("/snapshot", nil): return .later { await snapshot() }
    default: return .now(JSONAnswer.message(404, "Here are ?action=stream and ?action=snapshot."))
    }
  }

  private func snapshot() async -> HTTPServer.Response {
    do throws(WebcamFailure) {
      let frame = try await frame()
      return HTTPServer.Response(status: 200, type: frame.contentType, body: frame.bytes)
    } catch {
      return JSONAnswer.message(503, error.description)
    }
  }

  private func stream() -> HTTPServer.Reply {
    let head = HTTPServer.Response(
      status: 200, type: "multipart/x-mixed-replace;boundary=\(Self.boundary)",
      body: Array("--\(Self.boundary)\r\n".utf8))
    let last = Guarded<MonotonicInstant?>(nil)
    return .streaming(head) { [context] in
      while !Task.isCancelled {
        if let last = last.withLock({ $0 }) {
          guard (try? await context.time.sleep(until: last.advanced(by: Self.interval))) != nil
          else { return nil }
        }
        last.withLock { $0 = context.time.now }
        do throws(WebcamFailure) {
          return Self.part(try await frame())
        } catch {
          guard (try? await context.time.sleep(for: Self.pause)) != nil else { return nil }
        }
      }
      return nil
    }
  }

  private func frame() async throws(WebcamFailure) -> WebcamFrame {
    try await context.webcams.frame(
      FrameWish(maximumAge: .milliseconds(150), maximumBytes: Self.mostBytes))
  }

  private static func part(_ frame: WebcamFrame) -> [UInt8] {
    Array(
      "Content-Type: image/jpeg\r\nContent-Length: \(frame.bytes.count)\r\n\r\n".utf8)
      + frame.bytes + Array("\r\n--\(boundary)\r\n".utf8)
  }
}
