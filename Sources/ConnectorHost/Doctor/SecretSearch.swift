internal import ConnectorKit
internal import JSON
internal import Platform
internal import YAML

/// Finds secrets that a loaded configuration does not name, so that a report shows none: those of a file with mistakes in
/// it, of the files that it refers to, of `${…}`, and what pairing has left in the state directory. Blocks.
struct SecretSearch {
  /// A file of a secret is small.
  private static let mostBytes = 16 << 10
  /// Shorter texts of the state directory are names and numbers.
  private static let leastStored = 16
  /// Shorter texts under a key that nobody knows are words.
  private static let leastUnknown = 8

  let loader: ConfigurationLoader
  let path: String
  private let known: Set<String>
  private let secretKeys: Set<String>

  /// A search for the configuration file at `path`.
  init(loader: ConfigurationLoader, path: String) {
    self.loader = loader
    self.path = path
    let declared =
      HostSettings.sections.flatMap(\.keys) + HostSettings.Top.keys
      + loader.registry.flatMap { HostSettings.Entry.keys(of: $0.descriptor) }
    var known: Set<String> = []
    var secret: Set<String> = []
    for key in declared {
      for name in [key.declaration.key] + key.declaration.aliases {
        let parts = name.split(separator: ".").map(String.init)
        known.formUnion(parts)
        if key.declaration.isSecret, let last = parts.last {
          secret.insert(last)
          known.insert("\(last)_file")
        }
      }
    }
    self.known = known
    secretKeys = secret
  }

  /// All of them.
  func secrets(_ configuration: Configuration?) -> Set<String> {
    var found: Set<String> = []
    if let bytes = try? Files.read(path, limit: 1 << 20), let root = try? YAMLNode.parse(bytes) {
      collect(root, key: "", into: &found)
    }
    guard let folder = try? StatePlace.of(path, loader: loader) else { return found }
    for secrets in OverlayStore.peek(folder).secrets.values {
      for secret in secrets.values { found.insert(secret.revealed) }
    }
    let limits = JSONLimits(bytes: 1 << 20, depth: 32)
    for name in FileIdentityStore.files(inStateDirectory: folder) {
      guard let bytes = try? Files.read(name, limit: limits.bytes),
        let document = try? JSONValue(parsing: bytes, limits: limits)
      else { continue }
      collect(document, into: &found)
    }
    return found
  }

  private func collect(_ node: YAMLNode, key: String, into found: inout Set<String>) {
    switch node.content {
    case .mapping(let members):
      for member in members { collect(member.value, key: member.key, into: &found) }
    case .sequence(let items):
      for item in items { collect(item, key: key, into: &found) }
    case .scalar(let text, _):
      let isUnknown = !known.contains(key) && text.utf8.count >= Self.leastUnknown
      if secretKeys.contains(key) || isUnknown { found.insert(text) }
      if key.hasSuffix("_file"), key != "ca_file" { insert(file: text, into: &found) }
      for reference in Self.references(in: text) {
        if reference.hasPrefix("file:") {
          insert(file: String(reference.dropFirst(5)), into: &found)
        } else if reference.hasPrefix("env:") {
          found.insert(loader.environment[String(reference.dropFirst(4))] ?? "")
        }
      }
    }
  }

  private func insert(file: String, into found: inout Set<String>) {
    let place = file.hasPrefix("/") ? file : "\(Files.folder(of: path))/\(file)"
    guard let bytes = try? Files.read(place, limit: Self.mostBytes) else { return }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      found.insert(String(line.filter { !$0.isWhitespace }))
    }
  }

  /// What stands in each `${…}` of a text.
  private static func references(in text: String) -> [String] {
    var found: [String] = []
    var rest = text[...]
    while let begin = rest.firstRange(ofText: "${") {
      rest = rest[begin.upperBound...]
      guard let end = rest.firstIndex(of: "}") else { break }
      found.append(String(rest[..<end]))
      rest = rest[end...]
    }
    return found
  }

  private func collect(_ value: JSONValue, into found: inout Set<String>) {
    if let text = value.string, text.utf8.count >= Self.leastStored {
      found.insert(text)
      // A key in PEM form is logged line by line, if at all.
      for line in text.split(separator: "\n") where line.utf8.count >= Self.leastStored {
        found.insert(String(line))
      }
    }
    for item in value.array ?? [] { collect(item, into: &found) }
    for (_, member) in value.object ?? [:] { collect(member, into: &found) }
  }
}
