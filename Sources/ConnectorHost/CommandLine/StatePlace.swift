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

  private static func literal(in path: String) -> String? {
    guard let bytes = try? Files.read(path, limit: 1 << 20),
      let root = try? YAMLNode.parse(bytes), case .mapping(let members) = root.content,
      case .scalar(let text, _)? = members.first(where: { $0.key == "state_directory" })?.value
        .content, !text.isEmpty
    else { return nil }
    return text.hasPrefix("/") || text.hasPrefix("~/")
      ? text : "\(Files.folder(of: path))/\(text)"
  }
}
