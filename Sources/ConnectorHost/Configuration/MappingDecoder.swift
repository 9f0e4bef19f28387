internal import ConnectorKit
internal import YAML

/// A decoded mapping: its values, and where its keys stand.
struct DecodedMapping {
  var settings = Settings()
  /// Places of the keys that the file has, by declared key.
  var positions: [String: YAMLPosition] = [:]
  /// Declared keys of secrets whose text stands in the file itself.
  var literalSecrets: [String] = []
}

/// Decodes a mapping by declarations: unknown and duplicate keys, one value per key, types.
struct MappingDecoder {
  /// A key of the file with what it gives.
  private struct Occurrence {
    var member: YAMLNode.Member
    var role: KeyTree.Role
    var path: String
  }
  /// Where to look things up and put findings.
  let context: DecodingContext
  /// Whether what only concerns a running backend is no error.
  var isDisabled = false
  /// Whether the entry says `insecure: true`.
  var isInsecure = false
  /// What to do instead of writing a key, by path below the mapping.
  var refusedKeys: [String: String] = [:]

  /// Decodes `members`, which stand at `path` (empty at the top of the file).
  func decode(
    _ members: [YAMLNode.Member], keys: [ConfigurationKey], path: String
  ) -> DecodedMapping {
    var found: [String: Occurrence] = [:]
    collect(members, tree: KeyTree(keys), path: path, below: "", into: &found)
    var decoded = DecodedMapping()
    for key in keys {
      let name = key.declaration.key
      guard let occurrence = found[name] else { continue }
      decoded.positions[name] = occurrence.member.keyPosition
      let decoder = ValueDecoder(
        context: context, isDisabled: isDisabled, isInsecure: isInsecure, key: key,
        path: occurrence.path)
      switch occurrence.role {
      case .value:
        decoded.settings.entries[name] = decoder.value(of: occurrence.member)
        if key.declaration.isSecret, case .file = decoded.settings.entries[name]?.origin {
          decoded.literalSecrets.append(name)
        }
      case .secretFile:
        decoded.settings.entries[name] = decoder.secret(inFileOf: occurrence.member)
      }
    }
    return decoded
  }

  private func collect(
    _ members: [YAMLNode.Member], tree: KeyTree, path: String, below: String,
    into found: inout [String: Occurrence]
  ) {
    var lines: [String: Int] = [:]
    for member in members {
      let name = member.key
      let full = path.isEmpty ? name : "\(path).\(name)"
      if let line = lines[name] {
        context.findings.add(
          .error, full, at: member.keyPosition, "stands here a second time (first in line \(line))",
          "remove one of them")
        continue
      }
      lines[name] = member.keyPosition.line
      switch tree.branches[name] {
      case .key(let key, let role):
        note(
          Occurrence(member: member, role: role, path: full), of: key.declaration.key, in: &found)
      case .group(let group):
        switch member.value.content {
        case .mapping(let inner):
          collect(inner, tree: group, path: full, below: below + name + ".", into: &found)
        case _ where member.value.isNull: break
        default:
          context.findings.add(
            .error, full, at: member.value.position, "must hold keys of its own",
            "write \(group.names.joined(separator: ", ")) below it, indented")
        }
      case nil: refuse(member, tree: tree, path: full, below: below)
      }
    }
  }

  /// Takes the first of the keys that give one setting; a second one is reported.
  private func note(
    _ occurrence: Occurrence, of key: String, in found: inout [String: Occurrence]
  ) {
    guard let first = found[key] else {
      found[key] = occurrence
      return
    }
    if occurrence.member.value.isNull { return }
    if first.member.value.isNull {
      found[key] = occurrence
      return
    }
    context.findings.add(
      .error, occurrence.path, at: occurrence.member.keyPosition,
      "gives what \(first.path) in line \(first.member.keyPosition.line) gives already",
      "keep one of them")
  }

  private func refuse(
    _ member: YAMLNode.Member, tree: KeyTree, path: String, below: String
  ) {
    let name = member.key
    if let instead = refusedKeys[below + name] {
      context.findings.add(
        .error, path, at: member.keyPosition, "is not a key of this entry", instead)
      return
    }
    if let dot = name.firstIndex(of: "."), case .group = tree.branches[String(name[..<dot])] {
      let (outer, inner) = (name[..<dot], name[name.index(after: dot)...])
      context.findings.add(
        .error, path, at: member.keyPosition, "is written with a dot",
        "write '\(outer):' and below it, indented, '\(inner):'")
      return
    }
    let nearest = NearestName.of(name, among: tree.names)
    context.findings.add(
      .error, path, at: member.keyPosition, "is an unknown key",
      nearest.map { "did you mean \($0)?" }
        ?? "remove it, or write one of \(tree.names.joined(separator: ", "))")
  }
}
