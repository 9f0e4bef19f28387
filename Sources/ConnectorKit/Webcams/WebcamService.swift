package import Platform

/// The one webcam service: one fetch serves all who ask, and nothing is fetched while nobody asks.
package protocol WebcamService: Sendable {
  /// Whether Moonraker lists a camera that is switched on. Fetches no picture: the camera may be out of order.
  ///
  /// - Throws: `WebcamFailure` where the list is not to be had.
  func hasCamera() async throws(WebcamFailure) -> Bool

  /// How the owner has had a camera's picture turned in Moonraker; nil where no camera is in use. Fetches no picture.
  ///
  /// - Parameter camera: its name in Moonraker; nil: the first that is enabled.
  /// - Throws: `WebcamFailure` where the list is not to be had.
  func orientation(of camera: String?) async throws(WebcamFailure) -> FrameOrientation?

  /// A frame, turned and flipped as the owner has set it.
  ///
  /// - Throws: `WebcamFailure`.
  func frame(_ wish: FrameWish) async throws(WebcamFailure) -> WebcamFrame
}

extension WebcamService {
  /// Upright, where there is a camera.
  package func orientation(of camera: String?) async throws(WebcamFailure) -> FrameOrientation? {
    try await hasCamera() ? FrameOrientation() : nil
  }
}

/// What a backend wants of the camera.
package struct FrameWish: Sendable, Hashable {
  /// The camera's name in Moonraker; nil: the first that is enabled.
  package var camera: String?
  /// How old the frame may be.
  package var maximumAge: Duration
  /// The most bytes; a larger frame is compressed again or made smaller.
  package var maximumBytes: Int
  /// The longest side in pixels; nil: as the camera has it.
  package var maximumSide: Int?
  /// Whether it must be a JPEG; else PNG and WebP pass as they came.
  package var mustBeJPEG: Bool
  /// The port of the web page at the printer's host, for the addresses that are paths.
  package var pagePort: Int
  /// The web page's own address, where it is not simply on a port of the printer's host: `https://host/voron`.
  package var pageAddress: String?
  /// How the picture is to be turned; nil: as the owner has set it in Moonraker.
  package var orientation: FrameOrientation?
  /// Paths to try on that port when Moonraker knows no camera, in order: `/webcam/?action=snapshot`.
  package var fallbackPaths: [String]
  /// Absolute URLs of single pictures to ask instead of Moonraker's cameras, in this order each time; empty: Moonraker's.
  package var addresses: [String]
  /// The time for one address.
  package var patience: Duration

  /// A wish.
  package init(
    camera: String? = nil, maximumAge: Duration, maximumBytes: Int, maximumSide: Int? = nil,
    mustBeJPEG: Bool = true, pagePort: Int = 80, pageAddress: String? = nil,
    orientation: FrameOrientation? = nil, fallbackPaths: [String] = [], addresses: [String] = [],
    patience: Duration = .seconds(5)
  ) {
    self.camera = camera
    self.maximumAge = maximumAge
    self.maximumBytes = maximumBytes
    self.maximumSide = maximumSide
    self.mustBeJPEG = mustBeJPEG
    self.pagePort = pagePort
    self.pageAddress = pageAddress
    self.orientation = orientation
    self.fallbackPaths = fallbackPaths
    self.addresses = addresses
    self.patience = patience
  }
}

/// A picture.
package struct WebcamFrame: Sendable {
  /// Its bytes.
  package var bytes: [UInt8]
  /// `image/jpeg`, `image/png` or `image/webp`.
  package var contentType: String
  /// When it was fetched.
  package var capturedAt: MonotonicInstant

  /// A picture.
  package init(bytes: [UInt8], contentType: String, capturedAt: MonotonicInstant) {
    self.bytes = bytes
    self.contentType = contentType
    self.capturedAt = capturedAt
  }
}

/// Why there is no picture.
package struct WebcamFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of obstacle it was.
  package enum Kind: String, Sendable {
    /// The backend's `permissions` do not hold `camera`.
    case notPermitted
    /// No camera is set up, or none of that name.
    case noCamera
    /// It does not answer, or not in time.
    case unreachable
    /// What it sends is no picture.
    case notAnImage
    /// It is larger than 10 MiB, or cannot be made as small as wished.
    case tooLarge
  }
  /// The kind.
  package var kind: Kind
  /// For people: one line.
  package var description: String
  /// A failure.
  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
