internal import Platform
internal import YAML

/// Where the state of a configuration file's daemon lies.
enum StatePlace {
  /// The state directory of the file at `path`.
  ///
  /// A file with a mistake in it will do as well: a daemon that runs with the former one can still be told something.
  ///
  /// - Throws: `StateFailure` where there is none.
  static func of(
    _ path: String, loader: ConfigurationLoader
  ) throws(StateFailure) -> String {
    let configured =
      loader.load(path).configuration.map(\.stateDirectory) ?? literal(in: path)
    return try StateDirectory.location(
      configured: configured, environment: loader.environment, configurationPath: path)
  }

  /// In whose name root looks at what the file at `path` names, and at the state: the state folder's owner, else the
  /// file's; nil where that is root, or we are not.
  static func owner(of path: String, _ environment: [String: String]) -> Person? {
    guard Files.isRoot else { return nil }
    let folder = try? StateDirectory.location(
      configured: literal(in: path), environment: environment, configurationPath: path)
    return folder.flatMap(Person.other(owning:)) ?? Person.other(owning: path)
  }

  /// The log file that a file with mistakes in it names; nil where it names none.
  static func literalLogFile(in path: String) -> String? {
    literal(["log", "file"], in: path)
  }

  private static func literal(in path: String) -> String? { literal(["state_directory"], in: path) }

  private static func literal(_ keys: [String], in path: String) -> String? {
    guard let bytes = try? Files.read(path, limit: 1 << 20), var node = try? YAMLNode.parse(bytes)
    else { return nil }
    for key in keys {
      guard case .mapping(let members) = node.content,
        let value = members.first(where: { $0.key == key })?.value
      else { return nil }
      node = value
    }
    guard case .scalar(let text, _) = node.content, !text.isEmpty else { return nil }
    return text.hasPrefix("/") || text.hasPrefix("~/")
      ? text : "\(Files.folder(of: path))/\(text)"
  }
}
