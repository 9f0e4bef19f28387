package import ConnectorKit

extension Settings {
  /// Settings as the loader decodes them when each stands literally in the file.
  package static func written(_ values: [String: SettingValue]) -> Settings {
    Settings(
      values.mapValues { Entry(value: $0, origin: .file(line: 1, column: 1, isLiteral: true)) })
  }
}
