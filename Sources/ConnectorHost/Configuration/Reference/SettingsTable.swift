internal import ConnectorKit
internal import Platform

/// A table of settings in Markdown.
struct SettingsTable {
  private let settings: [SettingReference]

  /// The table of these keys, in their order.
  init(_ keys: [ConfigurationKey]) { settings = keys.map(SettingReference.init) }

  /// The table, with a final line break.
  var markdown: String {
    let rows = settings.map { setting in
      let cells = [
        Self.names(setting), Self.escaped(setting.summary), Self.escaped(setting.values),
        setting.defaultText.map { "`\($0)`" } ?? (setting.isRequired ? "required" : "–"),
        setting.change, setting.since,
      ]
      return "| " + cells.joined(separator: " | ") + " |\n"
    }
    return """
      | key | what it does | values | default | a change needs | since |
      | --- | --- | --- | --- | --- | --- |

      """ + rows.joined()
  }

  private static func names(_ setting: SettingReference) -> String {
    let twin = setting.fileKey.map { ", or `\($0)`" } ?? ""
    return "`\(setting.key)`\(twin)"
  }

  private static func escaped(_ text: String) -> String { text.replacing(text: "|", with: "\\|") }
}
