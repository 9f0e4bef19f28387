internal import ConnectorKit
internal import Imaging
internal import Moonraker
internal import Networking

/// An address that may yield a picture.
struct FrameAddress: Sendable, Hashable {
  /// The absolute URL.
  var url: String
  /// Whether it is a stream without end, of which the first picture is taken.
  var isStream = false

  /// The address for people: without user, password and query, which may be secrets.
  var display: String { URLParts(url).map { $0.origin + $0.path } ?? "the camera's address" }
}

/// Which camera a wish means, and where its picture may be had. A value: the whole choice is made here.
struct FramePlan: Sendable, Hashable {
  /// More addresses than this are not tried.
  private static let mostAddresses = 8

  /// What tells one camera from another.
  var key: String
  /// The camera for people.
  var name: String
  /// Where to ask, in order; never empty.
  var addresses: [FrameAddress]
  /// How the picture is to be turned.
  var orientation: Orientation

  /// Chooses.
  ///
  /// - Parameters:
  ///   - cameras: what the directory said, or why it said nothing.
  ///   - printerHost: the printer's name or address, where its web page is; IPv6 without brackets.
  /// - Throws: `WebcamFailure`: no such camera, or none that gives single pictures.
  init(
    _ wish: FrameWish, cameras: Result<[WebcamDescription], WebcamFailure>, printerHost: String
  ) throws(WebcamFailure) {
    let fallbacks = (wish.camera == nil ? wish.fallbackPaths : []).compactMap {
      WebcamAddress.absolute($0, host: printerHost, pagePort: wish.pagePort)
    }
    let chosen: WebcamDescription?
    switch cameras {
    case .success(let listed): chosen = try Self.choose(wish.camera, of: listed)
    case .failure(let failure):
      guard !fallbacks.isEmpty else { throw failure }
      chosen = nil
    }
    let ports = [wish.pagePort, 80, 8_080]
    let known = chosen.map { Self.addresses(of: $0, ports: ports, printerHost) } ?? []
    var seen: Set<String> = []
    addresses = (known + fallbacks.map { FrameAddress(url: $0) })
      .filter { seen.insert($0.url).inserted }
    addresses.removeLast(max(0, addresses.count - Self.mostAddresses))
    name = chosen?.name ?? "camera"
    key = chosen.map { $0.uid.isEmpty ? "name \($0.name)" : "uid \($0.uid)" } ?? "page"
    let turned = wish.orientation ?? chosen?.orientation ?? FrameOrientation()
    orientation = Orientation(
      clockwise: turned.rotation, mirrored: turned.flipsHorizontally,
      upsideDown: turned.flipsVertically)
    guard addresses.isEmpty else { return }
    guard let chosen else {
      throw WebcamFailure(.noCamera, "no camera is set up in Moonraker, or all are switched off")
    }
    throw WebcamFailure(
      .noCamera,
      "\(chosen.name) (\(chosen.service)) gives no single pictures: enter its snapshot URL in Moonraker"
    )
  }

  /// Nil: none is in use.
  static func choose(
    _ name: String?, of cameras: [WebcamDescription]
  ) throws(WebcamFailure) -> WebcamDescription? {
    guard let name else { return cameras.first(where: \.isEnabled) }
    guard let camera = cameras.first(where: { $0.name == name }) else {
      throw WebcamFailure(.noCamera, "there is no camera \(name) in Moonraker")
    }
    guard camera.isEnabled else {
      throw WebcamFailure(.noCamera, "the camera \(name) is switched off in Moonraker")
    }
    return camera
  }

  /// A path belongs to the web page, whose port the wish knows; else to the usual one, or to a camera server without one.
  private static func addresses(
    of camera: WebcamDescription, ports: [Int], _ host: String
  ) -> [FrameAddress] {
    let isStream = camera.snapshotURL.isEmpty
    guard !isStream || camera.streamsPictures else { return [] }
    let written = isStream ? camera.streamURL : camera.snapshotURL
    return ports.compactMap { port in
      WebcamAddress.absolute(written, host: host, pagePort: port)
        .map { FrameAddress(url: $0, isStream: isStream) }
    }
  }
}

extension WebcamDescription {
  /// How its picture is turned.
  var orientation: FrameOrientation {
    FrameOrientation(
      rotation: rotation, flipsHorizontally: flipsHorizontally, flipsVertically: flipsVertically)
  }

  /// Whether the stream is a row of JPEGs, out of which one can be taken.
  fileprivate var streamsPictures: Bool {
    !service.hasPrefix("webrtc-") && !["hlsstream", "iframe", "jmuxer-stream"].contains(service)
  }
}
