/// What a setting's value may be.
package enum SettingKind: Sendable, Hashable {
  /// Text of at most `maximumLength` characters.
  case string(maximumLength: Int)
  /// One of these words.
  case choice([String])
  /// A whole number in a range.
  case integer(ClosedRange<Int>)
  /// A number in a range.
  case number(ClosedRange<Double>)
  /// `true` or `false`.
  case boolean
  /// A number of seconds or text such as `30s`, `5m`, within a range.
  case duration(ClosedRange<Duration>)
  /// An absolute URL with one of these schemes, checked by the TLS rule (see `SettingDeclaration.tls`).
  case url(schemes: [String])
  /// A path in the file system, `~` expanded.
  case path
  /// A list of texts.
  case stringList
}

/// What plain `http` (or `ws`) to a host that is not loopback means for a URL setting.
package enum TLSRule: Sendable, Hashable {
  /// An error unless the entry says `insecure: true`.
  case requiredUnlessInsecure
  /// Always an error.
  case required
  /// Allowed: the URL names a host of the owner's own network.
  case local
}

/// One setting, declared once, as data.
///
/// From it come decoding, defaults, diagnostics, the reference page, the JSON schema and redaction.
package struct SettingDeclaration: Sendable {
  /// What takes effect how after a change of the file.
  package enum Effect: String, Sendable { case live, restart }

  /// The key, dots for nesting: `webcam.interval`.
  package var key: String
  /// What the value may be.
  package var kind: SettingKind
  /// The unit, for people: `s`, `MB`.
  package var unit: String?
  /// The default as it would be written in YAML; nil: no default.
  package var defaultText: String?
  /// An example as it would be written in YAML.
  package var example: String?
  /// One sentence: what it does.
  package var summary: String
  /// Whether the entry is refused without it.
  package var isRequired: Bool
  /// Whether it is a secret; it then has a twin `<key>_file`.
  package var isSecret: Bool
  /// For URLs: what happens without TLS.
  package var tls: TLSRule
  /// The version that brought it.
  package var since: String
  /// What a change needs.
  package var effect: Effect
  /// Older spellings that mean the same.
  package var aliases: [String]

  /// Declares a setting. Prefer the typed factories of ``Setting``.
  package init(
    key: String, kind: SettingKind, unit: String? = nil, defaultText: String? = nil,
    example: String? = nil, summary: String, isRequired: Bool = false, isSecret: Bool = false,
    tls: TLSRule = .requiredUnlessInsecure, since: String = "0.1.0", effect: Effect = .restart,
    aliases: [String] = []
  ) {
    self.key = key
    self.kind = kind
    self.unit = unit
    self.defaultText = defaultText
    self.example = example
    self.summary = summary
    self.isRequired = isRequired
    self.isSecret = isSecret
    self.tls = tls
    self.since = since
    self.effect = effect
    self.aliases = aliases
  }
}

/// A setting with the type its value has in code.
package struct Setting<Value: Sendable>: Sendable {
  /// The declaration as data.
  package let declaration: SettingDeclaration
  /// Reads the value out of decoded settings.
  let read: @Sendable (SettingValue?) -> Value
}
