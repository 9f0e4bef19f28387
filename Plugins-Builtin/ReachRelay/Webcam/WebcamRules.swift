internal import ConnectorKit

/// How pictures are sent, as the configuration has it.
struct WebcamRules: Sendable, Hashable {
  /// When pictures are sent.
  enum Mode: String, Sendable, CaseIterable {
    /// Never.
    case off
    /// While somebody watches; only Firebase can tell.
    case viewer
    /// All the time.
    case always
  }
  /// When pictures are sent.
  var mode: Mode
  /// The camera's name in Moonraker; nil: the first that is enabled.
  var camera: String?
  /// The web page that paths of Moonraker's list belong to; nil: port 80 of the printer's host.
  var baseURL: String?
  /// The least time between two pictures, and between two questions for a viewer.
  var interval: Duration
  /// How long after its last sign a viewer counts as there.
  var viewerTimeout: Duration

  /// Reads decoded settings.
  init(_ settings: Settings) {
    mode = Mode(rawValue: settings[WebcamSettings.mode]) ?? .viewer
    camera = settings[WebcamSettings.camera]
    baseURL = settings[WebcamSettings.baseURL]
    interval = settings[WebcamSettings.interval]
    viewerTimeout = settings[WebcamSettings.viewerTimeout]
  }
}
