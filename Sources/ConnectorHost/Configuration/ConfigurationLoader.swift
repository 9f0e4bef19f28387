package import ConnectorKit
internal import Cryptography
internal import Platform
internal import YAML

/// What loading yields: findings always, a configuration where no finding is an error.
package struct LoadedConfiguration: Sendable {
  /// The configuration; nil when a finding is an error.
  package var configuration: Configuration?
  /// All findings of the file, by position.
  package var findings: [LocatedFinding]
  /// The digest of the file's bytes, to see whether it changed since; empty when it could not be read.
  package var fingerprint: String
  /// The file's bytes; empty when it could not be read.
  package var text: [UInt8] = []
}

/// Reads and checks configuration files: the same code for `run`, `validate` and a reload. Opens files for reading only.
package struct ConfigurationLoader: Sendable {
  /// The connectors that the file may name.
  package var registry: [any ConnectorBackend.Type]
  /// The environment, for `${env:}` and the connectors' variables.
  package var environment: [String: String]
  /// Whether the variables count too that the file's service is given by its environment files: for everything beside the
  /// daemon itself, which the service manager has given them.
  var readsEnvironmentFiles = false

  /// A loader for one registry.
  package init(registry: [any ConnectorBackend.Type], environment: [String: String]) {
    self.registry = registry
    self.environment = environment
  }

  /// Loads and checks `path`. Blocks on file reads; never throws: what is wrong is a finding.
  ///
  /// - Parameters:
  ///   - knownIdentities: names under which pairings are stored, to warn of a rename that would lose one.
  ///   - overlay: what persons have set beside the file.
  package func load(
    _ path: String, knownIdentities: [String] = [],
    overlay: ConfigurationOverlay = ConfigurationOverlay()
  ) -> LoadedConfiguration {
    let limits = YAMLLimits()
    let bytes: [UInt8]
    do { bytes = try Files.read(path, limit: limits.bytes) } catch {
      let problem = FileProblem(error, path: nil, limit: limits.bytes)
      return refused(path, problem.problem, problem.remedy)
    }
    return load(bytes, from: path, knownIdentities: knownIdentities, overlay: overlay)
  }

  /// Checks `bytes` as if they stood at `path`. Blocks where they name other files; never throws.
  func load(
    _ bytes: [UInt8], from path: String, knownIdentities: [String] = [],
    overlay: ConfigurationOverlay = ConfigurationOverlay()
  ) -> LoadedConfiguration {
    let limits = YAMLLimits()
    let fingerprint = Digest.sha256Hex(bytes)
    let findings = FindingList()
    var configuration: Configuration?
    do {
      if let root = try YAMLNode.parse(bytes, limits: limits) {
        let files = readsEnvironmentFiles ? EnvironmentFiles(of: path, environment) : .nothing
        let context = DecodingContext(
          environment: environment.merging(files.variables) { own, _ in own },
          environmentFiles: files, folder: Files.folder(of: path), findings: findings,
          overlay: overlay)
        configuration = ConfigurationDecoder(
          registry: registry, context: context, file: path, exposure: exposure(of: path),
          knownIdentities: knownIdentities
        ).decode(root)
      } else {
        findings.add(
          .error, "", at: YAMLPosition(line: 1, column: 1), "the file is empty",
          "write 'version: 1' and the sections printer and backends")
      }
    } catch {
      findings.add(.error, "", at: error.position, error.problem, error.remedy)
    }
    return LoadedConfiguration(
      configuration: configuration, findings: findings.located(in: path),
      fingerprint: fingerprint, text: bytes)
  }

  private func refused(_ path: String, _ problem: String, _ remedy: String) -> LoadedConfiguration {
    LoadedConfiguration(
      configuration: nil,
      findings: [
        LocatedFinding(
          file: path, line: 0, column: 0, finding: Finding(.error, key: "", problem, remedy: remedy)
        )
      ], fingerprint: "")
  }

  /// Why others may read what stands in the file; nil when they may not.
  private func exposure(of path: String) -> String? {
    let resolved = Files.realPath(path) ?? path
    if PrinterData.holds(resolved) || PrinterData.holds(path) {
      return "every Moonraker client can read (printer_data/config)"
    }
    switch ValueFile.audience(resolved) {
    case .everyone: return "everyone can read"
    case .group: return "its group can read"
    case nil: return nil
    }
  }
}
