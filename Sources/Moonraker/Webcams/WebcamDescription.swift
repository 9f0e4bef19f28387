package import JSON

/// A camera as Moonraker knows it.
package struct WebcamDescription: Sendable, Hashable {
  /// Its name, unique in Moonraker.
  package var name: String
  /// Its id, which a new name does not change; empty on old versions of Moonraker.
  package var uid: String
  /// Whether the owner wants it used.
  package var isEnabled: Bool
  /// What kind of stream it gives: `mjpegstreamer`, `webrtc-go2rtc`…
  package var service: String
  /// The address of one picture as the owner wrote it: absolute, a path, or empty. See ``WebcamAddress``.
  package var snapshotURL: String
  /// The address of the stream, alike.
  package var streamURL: String
  /// Whether left and right are to be exchanged.
  package var flipsHorizontally: Bool
  /// Whether top and bottom are to be exchanged.
  package var flipsVertically: Bool
  /// How far the picture is to be turned clockwise, degrees: 0, 90, 180 or 270.
  package var rotation: Int

  /// A camera from one element of `server.webcams.list`; nil where it has no name.
  package init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, !name.isEmpty else { return nil }
    self.name = name
    uid = json["uid"]?.string ?? ""
    isEnabled = json["enabled"]?.bool ?? true
    service = json["service"]?.string ?? ""
    snapshotURL = json["snapshot_url"]?.string ?? ""
    streamURL = json["stream_url"]?.string ?? ""
    flipsHorizontally = json["flip_horizontal"]?.bool ?? false
    flipsVertically = json["flip_vertical"]?.bool ?? false
    // Only quarter turns exist; what else stands there turns nothing.
    let degrees = json["rotation"]?.integer ?? 0
    rotation = [90, 180, 270].contains(degrees) ? Int(degrees) : 0
  }
}
