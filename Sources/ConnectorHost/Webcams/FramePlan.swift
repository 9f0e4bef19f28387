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
  /// Whether the addresses are tried in their order each time; else the one that worked last goes first.
  var keepsOrder = false
  /// The time for one address.
  var patience: Duration

  /// Chooses.
  ///
  /// - Parameters:
  ///   - cameras: what the directory said, or why it said nothing.
  ///   - printerHost: the printer's name or address, where its web page is; IPv6 without brackets.
  /// - Throws: `WebcamFailure`: no such camera, or none that gives single pictures.
  init(
    _ wish: FrameWish, cameras: Result<[WebcamDescription], WebcamFailure>, printerHost: String
  ) throws(WebcamFailure) {
    patience = wish.patience
    if !wish.addresses.isEmpty {
      key = "urls " + wish.addresses.joined(separator: " ")
      name = "camera"
      addresses = wish.addresses.prefix(Self.mostAddresses).map { FrameAddress(url: $0) }
      orientation = Orientation(wish.orientation ?? FrameOrientation())
      keepsOrder = true
      return
    }
    // Where the page is known, a path can mean nothing else.
    let pages: [WebcamAddress.Page] =
      wish.pageAddress.map { [.address($0)] }
      ?? [.port(wish.pagePort), .port(80), .port(8_080)]
    let fallbacks = (wish.camera == nil ? wish.fallbackPaths : []).compactMap {
      WebcamAddress.absolute($0, host: printerHost, page: pages[0])
    }
    let chosen: WebcamDescription?
    switch cameras {
    case .success(let listed): chosen = try Self.choose(wish.camera, of: listed)
    case .failure(let failure):
      guard !fallbacks.isEmpty else { throw failure }
      chosen = nil
    }
    let known = chosen.map { Self.addresses(of: $0, pages, printerHost) } ?? []
    var seen: Set<String> = []
    addresses = (known + fallbacks.map { FrameAddress(url: $0) })
      .filter { seen.insert($0.url).inserted }
    addresses.removeLast(max(0, addresses.count - Self.mostAddresses))
    name = chosen?.name ?? "camera"
    key = chosen.map { $0.uid.isEmpty ? "name \($0.name)" : "uid \($0.uid)" } ?? "page"
    orientation = Orientation(wish.orientation ?? chosen?.orientation ?? FrameOrientation())
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

  /// A path belongs to the web page that the wish knows; else to the usual one, or to a camera server without one.
  private static func addresses(
    of camera: WebcamDescription, _ pages: [WebcamAddress.Page], _ host: String
  ) -> [FrameAddress] {
    let isStream = camera.snapshotURL.isEmpty
    guard !isStream || camera.streamsPictures else { return [] }
    let written = isStream ? camera.streamURL : camera.snapshotURL
    return pages.compactMap { page in
      WebcamAddress.absolute(written, host: host, page: page)
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

extension Orientation {
  /// The same for the pictures' library.
  fileprivate init(_ orientation: FrameOrientation) {
    self.init(
      clockwise: orientation.rotation, mirrored: orientation.flipsHorizontally,
      upsideDown: orientation.flipsVertically)
  }
}
