internal import Platform

/// The pairings that are on the disk.
enum StoredPairings {
  /// The names under which the state directory of `configuration` holds identities; empty where it cannot be read.
  static func names(of configuration: Configuration, _ environment: [String: String]) -> [String] {
    guard
      let directory = try? StateDirectory.location(
        configured: configuration.stateDirectory, environment: environment),
      let files = try? Files.names(in: directory + "/identities")
    else { return [] }
    // A dot is the one character of a name that a file's name has escaped.
    return files.filter { $0.hasSuffix(".json") }
      .map { String($0.dropLast(5)).replacing(text: "%2E", with: ".") }
  }
}
