import ConnectorKit

/// A connector with a setting of every kind.
struct SampleConnector: ConnectorBackend {
  static let url = Setting.url("cloud_url", default: "https://cloud.example", "Where the cloud is.")
  static let token = Setting.secret("token", maximumLength: 20, "The token.")
  static let site = Setting.string("site", default: "", maximumLength: 20, "The site's name.")
  static let interval = Setting.duration(
    "interval", default: 30, range: .seconds(1)...(.seconds(3_600)), "How often.")
  static let retries = Setting.integer(
    "retries", default: 3, range: 0...10, unit: "attempts", "How many.")
  static let isFast = Setting.boolean("fast", default: false, "Whether.")
  static let mode = Setting.choice("mode", default: "slow", of: ["slow", "quick"], "Which.")
  static let folder = Setting.optionalPath("folder", "Where.")
  static let tags = Setting.stringList("tags", "Words.")
  static let webcam = Setting.duration(
    "webcam.interval", default: 5, range: .milliseconds(100)...(.seconds(60)), "Frames.")
  static let descriptor = ConnectorDescriptor(
    type: "sample", title: "Sample", summary: "Shows every kind.",
    settings: [
      url.declaration, token.declaration, site.declaration, interval.declaration,
      retries.declaration, isFast.declaration, mode.declaration, folder.declaration,
      tags.declaration, webcam.declaration,
      SettingDeclaration(
        key: "scale", kind: .number(0.5...2), example: "1.5", summary: "A number.",
        aliases: ["zoom.factor"]),
    ],
    reads: StatusInterest(), minimalExample: "type: sample",
    environment: [EnvironmentRule("SAMPLE_URL", setting: "cloud_url", .overridesFile)],
    refusedKeys: ["moonraker": "write printer.moonraker instead"],
    intention: { "reports to \($0[SampleConnector.url])" })

  static func validate(_ settings: Settings) -> [Finding] {
    settings[token] == nil && settings[site] == "needs token"
      ? [
        Finding(.error, key: "token", "is needed for this site", remedy: "write it"),
        Finding(.warning, key: "", "is half done", remedy: "finish it"),
      ] : []
  }
  init(settings: Settings, context: BackendContext) async throws {}
  func run() async throws {}
  func runOnce() async throws {}
}

/// A connector that never speaks without TLS, filled from the environment.
struct StrictConnector: ConnectorBackend {
  static let relay = Setting.optionalURL(
    "relay", example: "https://relay.example", isRequired: true, tls: .required, "The relay.")
  static let code = Setting.secret("code", "The code.")
  static let identifier = Setting.optionalString("identifier", "The id.")
  static let descriptor = ConnectorDescriptor(
    type: "strict", title: "Strict", summary: "Always TLS.",
    settings: [relay.declaration, code.declaration, identifier.declaration],
    reads: StatusInterest(), minimalExample: "type: strict\nrelay: https://relay.example",
    environment: [
      EnvironmentRule("STRICT_RELAY", setting: "relay", .fillsAbsentKeyOfOnlyEntry),
      EnvironmentRule("STRICT_ID", setting: "identifier", .fillsAbsentKeyOfOnlyEntry),
      EnvironmentRule("OLD_ID", setting: "identifier", .fillsAbsentKeyOfOnlyEntry),
    ],
    intention: { _ in "reports" })
  init(settings: Settings, context: BackendContext) async throws {}
  func run() async throws {}
  func runOnce() async throws {}
}
