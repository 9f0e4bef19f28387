/// A decoded value of a setting.
package enum SettingValue: Sendable, Hashable {
  /// Text, a URL, a path or a choice.
  case string(String)
  /// A secret.
  case secret(Secret)
  /// A whole number.
  case integer(Int)
  /// A number.
  case number(Double)
  /// `true` or `false`.
  case boolean(Bool)
  /// A time.
  case duration(Duration)
  /// A list of texts.
  case list([String])
}

/// Where a value comes from; `status` shows it.
package enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
  /// The declaration's default.
  case byDefault
  /// Written in the configuration file; `isLiteral` when no `${…}` or `_file` stands between and key and value have
  /// that line to themselves, so that the line can be removed.
  case file(line: Int, column: Int, isLiteral: Bool)
  /// The `_file` twin, or `${file:…}`: the file's path.
  case secretFile(String)
  /// An environment variable's name.
  case environment(String)
  /// Entered by a person at the running daemon.
  case entered

  /// For people: `line 12`, `environment CLOUD_URL`.
  package var description: String {
    switch self {
    case .byDefault: "default"
    case .file(let line, _, _): "line \(line)"
    case .secretFile(let path): "file \(path)"
    case .environment(let name): "environment \(name)"
    case .entered: "entered"
    }
  }
}

/// The decoded settings of one backend.
package struct Settings: Sendable, Hashable {
  /// A value and where it comes from.
  package struct Entry: Sendable, Hashable {
    /// The value.
    package var value: SettingValue
    /// Where it comes from.
    package var origin: SettingOrigin
    /// A value with its origin.
    package init(value: SettingValue, origin: SettingOrigin) {
      self.value = value
      self.origin = origin
    }
  }
  /// Values by key, without those that are absent or left at their default.
  package var entries: [String: Entry]

  /// Settings with these values.
  package init(_ entries: [String: Entry] = [:]) { self.entries = entries }

  /// The value of `setting`, its default where the file says nothing.
  package subscript<Value>(setting: Setting<Value>) -> Value {
    setting.read(entries[setting.declaration.key]?.value)
  }

  /// Where the value of `setting` comes from.
  package func origin<Value>(of setting: Setting<Value>) -> SettingOrigin {
    entries[setting.declaration.key]?.origin ?? .byDefault
  }
}
