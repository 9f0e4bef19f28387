internal import Moonraker

/// The cameras that Moonraker knows, with the addresses at which this host can reach them.
struct MoonrakerCameras: CameraDirectory {
  /// The ports of the printer's host at which a path may be: the web page's, then a camera server's of its own.
  private static let ports = [80, 8_080]

  let webcams: MoonrakerWebcams
  /// Moonraker's host.
  let host: String

  func cameras() async throws -> [CameraDescription] {
    try await webcams.list().map { camera in
      CameraDescription(
        name: camera.name, uid: camera.uid, isEnabled: camera.isEnabled, service: camera.service,
        snapshotURL: camera.snapshotURL, streamURL: camera.streamURL,
        snapshotCandidates: addresses(camera.snapshotURL),
        streamCandidates: addresses(camera.streamURL),
        flipsHorizontally: camera.flipsHorizontally, flipsVertically: camera.flipsVertically,
        rotation: camera.rotation)
    }
  }

  /// Each address once: an absolute one is the same at every port.
  private func addresses(_ text: String) -> [String] {
    var found: [String] = []
    for port in Self.ports {
      guard let url = WebcamAddress.absolute(text, host: host, pagePort: port),
        !found.contains(url)
      else { continue }
      found.append(url)
    }
    return found
  }
}
