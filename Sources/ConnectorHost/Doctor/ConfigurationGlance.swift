internal import Platform
internal import YAML

/// What a file with mistakes in it says all the same. Blocks.
enum ConfigurationGlance {
  /// The log file that it names; nil where it names none.
  static func logFile(in path: String) -> String? {
    guard let bytes = try? Files.read(path, limit: 1 << 20), var node = try? YAMLNode.parse(bytes)
    else { return nil }
    for key in ["log", "file"] {
      guard case .mapping(let members) = node.content,
        let value = members.first(where: { $0.key == key })?.value
      else { return nil }
      node = value
    }
    guard case .scalar(let text, _) = node.content, text.hasPrefix("/") else { return nil }
    return text
  }
}
