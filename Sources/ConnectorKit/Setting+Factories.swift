// The typed ways to declare a setting: `static let cloudURL = Setting.url("cloud_url", default: …)`.

extension Setting {
  /// Text with a default.
  package static func string(
    _ key: String, default text: String, example: String? = nil, maximumLength: Int = 255,
    _ summary: String
  ) -> Setting<String> where Value == String {
    Setting<String>(
      declaration: SettingDeclaration(
        key: key, kind: .string(maximumLength: maximumLength), defaultText: text, example: example,
        summary: summary),
      read: { if case .string(let value) = $0 { value } else { text } })
  }

  /// Text that may be absent.
  package static func optionalString(
    _ key: String, example: String? = nil, maximumLength: Int = 255, isRequired: Bool = false,
    _ summary: String
  ) -> Setting<String?> where Value == String? {
    Setting<String?>(
      declaration: SettingDeclaration(
        key: key, kind: .string(maximumLength: maximumLength), example: example, summary: summary,
        isRequired: isRequired),
      read: { if case .string(let value) = $0 { value } else { nil } })
  }

  /// A secret that may be absent; its twin `<key>_file` names a file that holds it.
  package static func secret(
    _ key: String, example: String? = nil, maximumLength: Int = 4096, _ summary: String
  ) -> Setting<Secret?> where Value == Secret? {
    Setting<Secret?>(
      declaration: SettingDeclaration(
        key: key, kind: .string(maximumLength: maximumLength), example: example, summary: summary,
        isSecret: true),
      read: { if case .secret(let value) = $0 { value } else { nil } })
  }

  /// A URL with a default.
  package static func url(
    _ key: String, default text: String, schemes: [String] = ["https", "http"],
    tls: TLSRule = .requiredUnlessInsecure, _ summary: String
  ) -> Setting<String> where Value == String {
    Setting<String>(
      declaration: SettingDeclaration(
        key: key, kind: .url(schemes: schemes), defaultText: text, summary: summary, tls: tls),
      read: { if case .string(let value) = $0 { value } else { text } })
  }

  /// A URL without a default.
  package static func optionalURL(
    _ key: String, schemes: [String] = ["https", "http"], example: String? = nil,
    isRequired: Bool = false, tls: TLSRule = .requiredUnlessInsecure, _ summary: String
  ) -> Setting<String?> where Value == String? {
    Setting<String?>(
      declaration: SettingDeclaration(
        key: key, kind: .url(schemes: schemes), example: example, summary: summary,
        isRequired: isRequired, tls: tls),
      read: { if case .string(let value) = $0 { value } else { nil } })
  }

  /// A whole number.
  package static func integer(
    _ key: String, default number: Int, range: ClosedRange<Int>, unit: String? = nil,
    _ summary: String
  ) -> Setting<Int> where Value == Int {
    Setting<Int>(
      declaration: SettingDeclaration(
        key: key, kind: .integer(range), unit: unit, defaultText: "\(number)", summary: summary),
      read: { if case .integer(let value) = $0 { value } else { number } })
  }

  /// A number.
  package static func number(
    _ key: String, default number: Double, range: ClosedRange<Double>, unit: String? = nil,
    _ summary: String
  ) -> Setting<Double> where Value == Double {
    Setting<Double>(
      declaration: SettingDeclaration(
        key: key, kind: .number(range), unit: unit,
        defaultText: Int64(exactly: number).map { "\($0)" } ?? "\(number)", summary: summary),
      read: { if case .number(let value) = $0 { value } else { number } })
  }

  /// Whether something is on.
  package static func boolean(
    _ key: String, default isOn: Bool, _ summary: String
  ) -> Setting<Bool> where Value == Bool {
    Setting<Bool>(
      declaration: SettingDeclaration(
        key: key, kind: .boolean, defaultText: "\(isOn)", summary: summary),
      read: { if case .boolean(let value) = $0 { value } else { isOn } })
  }

  /// A time with a default; the default is whole seconds.
  package static func duration(
    _ key: String, default seconds: Int, range: ClosedRange<Duration>, _ summary: String
  ) -> Setting<Duration> where Value == Duration {
    Setting<Duration>(
      declaration: SettingDeclaration(
        key: key, kind: .duration(range), unit: "s", defaultText: "\(seconds)", summary: summary),
      read: { if case .duration(let value) = $0 { value } else { .seconds(seconds) } })
  }

  /// One of several words.
  package static func choice(
    _ key: String, default word: String, of words: [String], _ summary: String
  ) -> Setting<String> where Value == String {
    Setting<String>(
      declaration: SettingDeclaration(
        key: key, kind: .choice(words), defaultText: word, summary: summary),
      read: { if case .string(let value) = $0 { value } else { word } })
  }

  /// A path that may be absent.
  package static func optionalPath(
    _ key: String, example: String? = nil, _ summary: String
  ) -> Setting<String?> where Value == String? {
    Setting<String?>(
      declaration: SettingDeclaration(key: key, kind: .path, example: example, summary: summary),
      read: { if case .string(let value) = $0 { value } else { nil } })
  }

  /// A list of texts, empty unless said otherwise; a default is written in YAML without quotes.
  package static func stringList(
    _ key: String, default texts: [String] = [], example: String? = nil, _ summary: String
  ) -> Setting<[String]> where Value == [String] {
    Setting<[String]>(
      declaration: SettingDeclaration(
        key: key, kind: .stringList, defaultText: "[\(texts.joined(separator: ", "))]",
        example: example, summary: summary),
      read: { if case .list(let value) = $0 { value } else { texts } })
  }
}
