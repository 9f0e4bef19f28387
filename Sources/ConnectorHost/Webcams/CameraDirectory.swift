/// Who knows the printer's cameras: Moonraker in what ships, a list in tests.
protocol CameraDirectory: Sendable {
  /// All cameras, in the owner's order, also those that are switched off.
  ///
  /// - Throws: when the list is not to be had; the error's description is shown to people.
  func cameras() async throws -> [CameraDescription]
}

/// A camera as the owner has set it up in Moonraker.
struct CameraDescription: Sendable, Hashable {
  /// Its name.
  var name: String
  /// What it is known by when it is renamed.
  var uid: String
  /// Whether it is in use.
  var isEnabled: Bool
  /// What serves it: `mjpegstreamer-adaptive`, `webrtc-camerastreamer`…
  var service: String
  /// Where single pictures are, as it was entered: absolute, a path of the web page's, or empty.
  var snapshotURL: String
  /// Where the stream is, as it was entered: absolute, a path of the web page's, or empty.
  var streamURL: String
  /// Absolute addresses to try for a single picture, in order.
  var snapshotCandidates: [String]
  /// Absolute addresses to try for the stream, in order.
  var streamCandidates: [String]
  /// Whether left and right are to change places.
  var flipsHorizontally: Bool
  /// Whether top and bottom are to change places.
  var flipsVertically: Bool
  /// By how much it is to be turned clockwise: 0, 90, 180 or 270 degrees.
  var rotation: Int

  /// A camera; empty addresses and no turn unless said otherwise.
  init(
    name: String, uid: String = "", isEnabled: Bool = true, service: String = "mjpegstreamer",
    snapshotURL: String = "", streamURL: String = "", snapshotCandidates: [String] = [],
    streamCandidates: [String] = [], flipsHorizontally: Bool = false,
    flipsVertically: Bool = false, rotation: Int = 0
  ) {
    self.name = name
    self.uid = uid
    self.isEnabled = isEnabled
    self.service = service
    self.snapshotURL = snapshotURL
    self.streamURL = streamURL
    self.snapshotCandidates = snapshotCandidates
    self.streamCandidates = streamCandidates
    self.flipsHorizontally = flipsHorizontally
    self.flipsVertically = flipsVertically
    self.rotation = rotation
  }

  /// Whether the stream is a row of JPEGs, out of which one can be taken.
  var streamsPictures: Bool {
    !service.hasPrefix("webrtc-") && !["hlsstream", "iframe", "jmuxer-stream"].contains(service)
  }
}
