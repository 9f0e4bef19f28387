internal import ConnectorKit
internal import Imaging
internal import Networking
internal import Platform

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
  ///   - printerHost: the printer's name or address, where its web page is; IPv6 with or without brackets.
  /// - Throws: `WebcamFailure`: no such camera, or none that gives single pictures.
  init(
    _ wish: FrameWish, cameras: Result<[CameraDescription], WebcamFailure>, printerHost: String
  ) throws(WebcamFailure) {
    let port = wish.pagePort == 80 ? "" : ":\(wish.pagePort)"
    let page = "http://" + Self.bracketed(printerHost) + port
    let fallbacks = wish.camera == nil ? wish.fallbackPaths.map { page + Self.rooted($0) } : []
    let chosen: CameraDescription?
    do {
      chosen = try Self.choose(wish.camera, of: cameras.get())
    } catch  where !fallbacks.isEmpty {
      chosen = nil
    } catch {
      throw error
    }
    let known = (chosen.map { Self.addresses(of: $0, page: page) } ?? [])
    var seen: Set<String> = []
    addresses = (known + fallbacks.map { FrameAddress(url: $0) })
      .filter { seen.insert($0.url).inserted }
    addresses.removeLast(max(0, addresses.count - Self.mostAddresses))
    name = chosen?.name ?? "camera"
    key = chosen.map { $0.uid.isEmpty ? "name \($0.name)" : "uid \($0.uid)" } ?? "page"
    orientation = Orientation(
      clockwise: chosen?.rotation ?? 0, mirrored: chosen?.flipsHorizontally ?? false,
      upsideDown: chosen?.flipsVertically ?? false)
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
  private static func choose(
    _ name: String?, of cameras: [CameraDescription]
  ) throws(WebcamFailure) -> CameraDescription? {
    guard let name else { return cameras.first(where: \.isEnabled) }
    guard let camera = cameras.first(where: { $0.name == name }) else {
      throw WebcamFailure(.noCamera, "there is no camera \(name) in Moonraker")
    }
    guard camera.isEnabled else {
      throw WebcamFailure(.noCamera, "the camera \(name) is switched off in Moonraker")
    }
    return camera
  }

  private static func addresses(of camera: CameraDescription, page: String) -> [FrameAddress] {
    if !camera.snapshotURL.isEmpty || !camera.snapshotCandidates.isEmpty {
      return (onPage(camera.snapshotURL, page) + camera.snapshotCandidates)
        .map { FrameAddress(url: $0) }
    }
    guard camera.streamsPictures else { return [] }
    return (onPage(camera.streamURL, page) + camera.streamCandidates)
      .map { FrameAddress(url: $0, isStream: true) }
  }

  /// A path belongs to the web page, whose port the wish knows.
  private static func onPage(_ address: String, _ page: String) -> [String] {
    address.hasPrefix("/") && !address.hasPrefix("//") ? [page + address] : []
  }

  private static func rooted(_ path: String) -> String { path.hasPrefix("/") ? path : "/" + path }

  private static func bracketed(_ host: String) -> String {
    guard host.contains(":"), !host.hasPrefix("[") else { return host }
    return "[\(host.replacing(text: "%", with: "%25"))]"
  }
}
