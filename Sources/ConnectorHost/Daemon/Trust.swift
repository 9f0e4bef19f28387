internal import ConnectorKit
internal import Cryptography
internal import JSON
internal import Networking

/// What a configuration trusts, and with what: whom it obeys, in what, and who sees it. It can be compared with that of a
/// later file, and is kept over a restart. No secret is in it.
struct Trust: Sendable, Hashable {
  /// A value: as people see it, and its digest; an empty digest is the default.
  struct Value: Sendable, Hashable {
    var shown: String
    var digest = ""
  }
  /// One entry of `backends`.
  struct Entry: Sendable, Hashable {
    var name: String
    var type: String
    var isEnabled: Bool
    var permissions: Set<String>
    var permissionsText: String
    var isInsecure: Bool
    var macros: [String]
    var patterns: [String]
    /// `max_command_age`, in milliseconds.
    var commandAge: Int64
    /// Those of the connector's settings that say who is obeyed, or in what.
    var settings: [String: Value]
  }

  /// The settings that concern all, by their keys.
  var host: [String: Value] = [:]
  var requiresClearBed = false
  var pinsPermissions = false
  /// What macros may do, `control.macros`; nil where a former program did not keep it.
  var grants: Set<String>?
  var entries: [Entry] = []

  /// What `configuration` trusts.
  ///
  /// - Parameter former: what counted before: an entry that is switched off stays as it was when it ran last, so that
  ///   what is edited meanwhile is told when it is switched on.
  init(_ configuration: Configuration, former: Trust? = nil) {
    let (printer, control) = (configuration.printer, configuration.control)
    requiresClearBed = printer.requireClearBed
    pinsPermissions = control.pinPermissions
    grants = Set(control.macros.map(\.rawValue))
    host = [
      "printer.moonraker": Self.place(printer.moonraker),
      "printer.moonraker_http": Self.place(printer.moonrakerHTTP),
      "printer.api_key": Self.secret(printer.apiKey),
      "network.ca_file": Self.text(configuration.network.caFile),
      "network.proxy": Self.place(configuration.network.proxy),
      "control.listen": Self.text(control.listen.map { "\($0)" }, absent: "off"),
      "control.health_listen": Self.text(control.healthListen.map { "\($0)" }),
      "control.token_file": Self.text(control.tokenFile),
      "state_directory": Self.text(configuration.stateDirectory),
      "log.file": Self.text(configuration.log.file),
    ]
    entries = configuration.backends.map { backend in
      let entry = Entry(backend)
      guard !entry.isEnabled,
        var kept = former?.entries.first(where: { $0.name == entry.name && $0.type == entry.type })
      else { return entry }
      kept.isEnabled = false
      return kept
    }
  }

  private static func text(_ text: String?, absent: String = "not set") -> Value {
    text.map { Value(shown: $0, digest: digest($0)) } ?? Value(shown: absent)
  }

  private static func secret(_ secret: Secret?) -> Value {
    secret.map { Value(shown: "<secret>", digest: digest($0.revealed)) } ?? Value(shown: "not set")
  }

  /// Where a URL leads, without the password or the token that it may carry.
  fileprivate static func place(_ url: String?) -> Value {
    guard let url else { return Value(shown: "not set") }
    let shown =
      URLParts(url).map { $0.origin + $0.path } ?? String(url.prefix { $0 != "@" && $0 != "?" })
    return Value(shown: shown, digest: digest(url))
  }

  fileprivate static func digest(_ text: String) -> String { Digest.sha256Hex(Array(text.utf8)) }
}

extension Trust.Entry {
  fileprivate init(_ backend: BackendConfiguration) {
    let descriptor = backend.connector.descriptor
    name = backend.name
    type = descriptor.type
    isEnabled = backend.isEnabled
    permissions = Set(backend.permissions.map(\.rawValue))
    permissionsText = backend.permissionsText
    isInsecure = backend.isInsecure
    macros = backend.allowedMacros
    // The patterns in force, without the usual ones where these always are.
    patterns =
      descriptor.patternsReplaceUsual && !backend.patternsReplaceUsual
      ? CommandPolicy.usualPatterns : backend.allowedGcodePatterns
    let age = backend.maximumCommandAge.components
    commandAge =
      age.seconds.multipliedReportingOverflow(by: 1_000).partialValue
      &+ age.attoseconds / 1_000_000_000_000_000
    settings = [:]
    for declaration in descriptor.settings
    where descriptor.trustedKeys.contains(declaration.key) || Self.isWatched(declaration) {
      settings[declaration.key] = Self.value(
        backend.settings.entries[declaration.key]?.value, declaration)
    }
  }

  /// URLs decide who is obeyed; keys that begin with `allow` decide what.
  private static func isWatched(_ declaration: SettingDeclaration) -> Bool {
    if case .url = declaration.kind { return true }
    return declaration.key.split(separator: ".").last?.hasPrefix("allow") ?? false
  }

  private static func value(
    _ value: SettingValue?, _ declaration: SettingDeclaration
  ) -> Trust.Value {
    guard let value else { return Trust.Value(shown: declaration.defaultText ?? "not set") }
    let text =
      switch value {
      case .string(let text): text
      case .secret(let secret): secret.revealed
      case .integer(let number): "\(number)"
      case .number(let number): "\(number)"
      case .boolean(let isOn): "\(isOn)"
      case .duration(let duration): "\(duration)"
      case .list(let items): "[\(items.joined(separator: ", "))]"
      }
    // Whether the default is written makes no difference.
    if text == declaration.defaultText { return Trust.Value(shown: text) }
    if case .secret = value { return Trust.Value(shown: "<secret>", digest: Trust.digest(text)) }
    if declaration.isSecret { return Trust.Value(shown: "<secret>", digest: Trust.digest(text)) }
    if case .url = declaration.kind { return Trust.place(text) }
    return Trust.Value(shown: text, digest: Trust.digest(text))
  }
}
