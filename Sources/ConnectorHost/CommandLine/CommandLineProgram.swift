package import ConnectorKit

/// The command line of `printer-uplink`, without the registry that the executable hands in.
package struct CommandLineProgram: Sendable {
  /// The connectors that this build has.
  package var registry: [any ConnectorBackend.Type]

  /// A program with these connectors.
  package init(registry: [any ConnectorBackend.Type]) { self.registry = registry }

  /// Runs the command in `arguments` (without the program's name).
  ///
  /// - Returns: the exit status: 0, 1 (failed), 2 (usage) or 78 (configuration).
  package func run(_ arguments: [String]) async -> Int32 { 2 }
}
