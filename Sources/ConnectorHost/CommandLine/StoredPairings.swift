/// The pairings that are on the disk.
enum StoredPairings {
  /// The names under which the state directory of `configuration` holds identities; empty where it cannot be read.
  static func names(of configuration: Configuration, _ environment: [String: String]) -> [String] {
    guard
      let directory = try? StateDirectory.location(
        configured: configuration.stateDirectory, environment: environment,
        configurationPath: configuration.path)
    else { return [] }
    return FileIdentityStore.names(inStateDirectory: directory)
  }
}
