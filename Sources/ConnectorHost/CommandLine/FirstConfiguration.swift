internal import ConnectorKit
internal import JSON

/// What `init` writes: the answers, as an annotated file.
struct FirstConfiguration {
  /// An entry of `backends`.
  struct Entry {
    var descriptor: ConnectorDescriptor
    /// Keys with their values, in order.
    var settings: [(key: String, value: String)] = []
    /// The key of a secret without which the entry would be refused: it is switched off.
    var lacks: String?
  }
  var name = ""
  var moonraker = ""
  var keyFile = ""
  var logFile = ""
  var permissions = PermissionLevel.print.rawValue
  var entries: [Entry] = []

  /// The file.
  var text: String {
    var lines = [
      "# printer-uplink. Every setting: '\(Product.name) backends TYPE', docs/configuration.md.",
      "# After a change: '\(Product.name) validate', then '\(Product.name) reload'.",
      "version: 1", "printer:", "  # As you call it.", "  name: \(Self.yaml(name))",
      "  # http://host:port, or unix:/path/to/moonraker.sock",
      "  moonraker: \(Self.yaml(moonraker))",
    ]
    if !keyFile.isEmpty { lines.append("  api_key_file: \(Self.yaml(keyFile))") }
    if !logFile.isEmpty { lines += ["log:", "  file: \(Self.yaml(logFile))"] }
    if entries.isEmpty {
      lines.append("backends: []")
    } else {
      lines += ["# One entry for each cloud account.", "backends:"]
      lines += entries.flatMap(lines(of:))
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func lines(of entry: Entry) -> [String] {
    let descriptor = entry.descriptor
    var lines = ["  - type: \(descriptor.type)"]
    lines += TextBlock.wrapped(descriptor.summary, width: 78).map { "    # \($0)" }
    if let key = entry.lacks {
      lines.append("    # It needs \(key)_file, a file of mode 0600. Then remove the next line.")
      lines.append("    enabled: false")
    }
    lines.append("    permissions: \(permissions)  # monitor, control, print or full")
    lines += entry.settings.map { "    \($0.key): \(Self.yaml($0.value))" }
    if entry.lacks == nil, let key = descriptor.pairingKey,
      !entry.settings.contains(where: { $0.key == "\(key)_file" })
    {
      lines.append("    # Pair it once the daemon runs: \(Product.name) pair \(descriptor.type)")
    }
    return lines
  }

  /// Text as YAML takes it whatever it holds: JSON's spelling.
  private static func yaml(_ text: String) -> String {
    String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
  }
}
