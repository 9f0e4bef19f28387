internal import ConnectorKit

/// The settings of the camera, each declared once.
enum WebcamSettings {
  static let mode = Setting<String>.choice(
    "webcam.mode", default: WebcamRules.Mode.viewer.rawValue,
    of: WebcamRules.Mode.allCases.map(\.rawValue),
    "When pictures of the camera are sent: `off`, `always`, or while a `viewer` watches, which only Firebase can tell."
  )

  static let camera = Setting<String?>.optionalString(
    "webcam.camera", example: "bed camera",
    "The camera's name in Moonraker; the first that is switched on where it is left out.")

  static let baseURL = Setting<String?>.optionalURL(
    "webcam.base_url", example: "http://printer.local/voron", tls: .local,
    "The web page that a camera's address in Moonraker belongs to where it is a path; left out: port 80 of the printer's host."
  )

  static let interval = Setting<Duration>.duration(
    "webcam.interval", default: 5, range: range,
    "The least time between two pictures, and between two questions for a viewer where those have to be asked."
  )

  static let viewerTimeout = Setting<Duration>.duration(
    "webcam.viewer_timeout", default: 60, range: range,
    "How long after its last sign a viewer counts as there.")

  /// All of them, in the order in which they are shown.
  static let declarations = [
    mode.declaration, camera.declaration, baseURL.declaration, interval.declaration,
    viewerTimeout.declaration,
  ]

  /// The original agent's variables.
  static let environment = [
    EnvironmentRule(
      "REACH_LINK_WEBCAM_INTERVAL", setting: interval.declaration.key, .fillsAbsentKeyOfOnlyEntry),
    EnvironmentRule(
      "REACH_LINK_WEBCAM_VIEWER_TIMEOUT", setting: viewerTimeout.declaration.key,
      .fillsAbsentKeyOfOnlyEntry),
  ]

  private static let range: ClosedRange<Duration> = .seconds(1) ... .seconds(3_600)

  /// What single settings cannot say.
  static func findings(_ settings: Settings) -> [Finding] {
    guard WebcamRules(settings).mode == .viewer, settings.origin(of: mode) != .byDefault,
      FirebaseRules(settings) == nil
    else { return [] }
    return [
      Finding(
        .warning, key: mode.declaration.key,
        "without Firebase nobody can tell whether somebody watches, so no picture is ever sent",
        remedy: "set firebase.url and firebase.token, or webcam.mode to always or off")
    ]
  }
}
