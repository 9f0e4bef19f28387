internal import ConnectorKit

/// Settings as text for a terminal of 80 columns.
struct SettingsListing {
  private let settings: [SettingReference]

  /// The listing of these keys, in their order.
  init(_ keys: [ConfigurationKey]) { settings = keys.map(SettingReference.init) }

  /// The listing, one block per setting, with a final line break.
  var text: String {
    settings.map { setting in
      var lines = ["  " + setting.key + (setting.fileKey.map { ", or \($0)" } ?? "")]
      lines += TextBlock.wrapped(setting.summary, width: 72).map { "      " + $0 }
      var facts = [setting.values]
      if setting.isRequired { facts.append("required") }
      if let text = setting.defaultText { facts.append("default \(text)") }
      if setting.defaultText == nil, let text = setting.example {
        facts.append("for example \(text)")
      }
      facts.append(setting.change == "restart" ? "a change restarts" : "a change acts at once")
      facts.append("since \(setting.since)")
      lines += TextBlock.wrapped("[" + facts.joined(separator: "; ") + "]", width: 72).map {
        "      " + $0
      }
      return lines.joined(separator: "\n") + "\n"
    }.joined()
  }
}
