internal import ConnectorKit

/// The keys that a mapping may have, nested as in the file.
struct KeyTree {
  /// What a key of the file gives.
  enum Role {
    /// The value.
    case value
    /// The path of a file that holds the value (`<key>_file`).
    case secretFile
  }
  /// What stands under one name.
  enum Branch {
    case key(ConfigurationKey, Role)
    case group(KeyTree)
  }
  private(set) var branches: [String: Branch] = [:]
  /// The names in the order of their declarations, without older spellings.
  private(set) var names: [String] = []

  /// The tree of these keys, their `_file` twins and their older spellings.
  init(_ keys: [ConfigurationKey]) {
    for key in keys {
      let declaration = key.declaration
      for (index, spelling) in ([declaration.key] + declaration.aliases).enumerated() {
        insert(spelling, .key(key, .value), isListed: index == 0)
        if declaration.isSecret {
          insert(spelling + "_file", .key(key, .secretFile), isListed: index == 0)
        }
      }
    }
  }

  private init() {}

  private mutating func insert(_ path: String, _ branch: Branch, isListed: Bool) {
    guard let dot = path.firstIndex(of: ".") else {
      if branches[path] == nil && isListed { names.append(path) }
      branches[path] = branch
      return
    }
    let name = String(path[..<dot])
    var group = KeyTree()
    if case .group(let present) = branches[name] {
      group = present
    } else if isListed {
      names.append(name)
    }
    group.insert(String(path[path.index(after: dot)...]), branch, isListed: true)
    branches[name] = .group(group)
  }
}
