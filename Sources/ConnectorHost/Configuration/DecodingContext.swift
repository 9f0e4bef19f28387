internal import ConnectorKit
internal import Platform

/// What decoding looks at beside the text, and where it puts what it finds.
struct DecodingContext {
  /// The environment.
  var environment: [String: String]
  /// Where variables stand beside that.
  var environmentFiles = EnvironmentFiles.nothing
  /// The folder of the configuration file: relative paths count from it.
  var folder: String
  /// What is found.
  var findings: FindingList
  /// What persons have set beside the file.
  var overlay = ConfigurationOverlay()

  /// `path` with `~` expanded, from the configuration file's folder where it is relative.
  func absolute(_ path: String) -> String {
    if path == "~" || path.hasPrefix("~/"), let home = environment["HOME"], !home.isEmpty {
      return home + path.dropFirst()
    }
    return path.hasPrefix("/") ? path : folder + "/" + path
  }
}
