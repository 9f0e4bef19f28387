package import ConnectorKit
package import HTTPServer
package import Moonraker
package import Networking

/// A configuration file, decoded and checked.
package struct Configuration: Sendable {
  /// The file's path, as given.
  package var path: String
  /// The printer section.
  package var printer: PrinterSection
  /// Where identities, journal and outbox live; nil: by the rules of the environment (see `StateDirectory`).
  package var stateDirectory: String?
  /// The control section.
  package var control: ControlSection
  /// CA and proxy.
  package var network: NetworkSettings
  /// The log section.
  package var log: LogSection
  /// The backends in the file's order, disabled ones included.
  package var backends: [BackendConfiguration]

  /// `printer:`
  package struct PrinterSection: Sendable, Hashable {
    /// The printer's name.
    package var name: String
    /// The address as the file has it.
    package var moonraker: String
    /// The address, read.
    package var address: MoonrakerAddress
    /// With a Unix socket: the address for file bytes.
    package var moonrakerHTTP: String?
    /// Moonraker's API key.
    package var apiKey: Secret?
    /// Whether a start by a person needs a clear bed too.
    package var requireClearBed: Bool
  }
  /// `control:`
  package struct ControlSection: Sendable, Hashable {
    /// Where the status page listens; nil: nowhere (`listen: off`).
    package var listen: HTTPServer.Address?
    /// A second listener for `/health` only.
    package var healthListen: HTTPServer.Address?
    /// The token file for visitors that are not local.
    package var tokenFile: String?
    /// Whether wider permissions wait for a person.
    package var pinPermissions: Bool
    /// What Klipper's macros may do.
    var macros = Set(MacroGrant.byDefault)
    /// Whether the printer's console says so when a backend parks.
    package var announcesParked = false
  }
  /// `log:`
  package struct LogSection: Sendable, Hashable {
    /// The least level that is written.
    package var level: LogLevel
    /// The log file; nil: console only.
    package var file: String?
    /// Size in MB at which the file is rotated.
    package var maximumSizeMB: Int
    /// How many rotated files are kept.
    package var backups: Int
  }
}

/// One entry of `backends`, decoded and checked.
package struct BackendConfiguration: Sendable {
  /// The connector.
  package var connector: any ConnectorBackend.Type
  /// The entry's unique name.
  package var name: String
  /// Whether it runs.
  package var isEnabled: Bool
  /// Whether the file says that it runs; a person may have switched it.
  package var isEnabledInFile = true
  /// What its cloud may do.
  package var permissions: Set<Permission>
  /// The permissions as the file says them, for display: `print`, or a list.
  package var permissionsText: String
  /// Macros that a cloud may run at level print.
  package var allowedMacros: [String]
  /// Further G-code patterns.
  package var allowedGcodePatterns: [String]
  /// Whether those patterns stand for the usual ones instead of adding to them.
  package var patternsReplaceUsual = false
  /// The oldest command that may still move or heat.
  package var maximumCommandAge: Duration
  /// Whether plain http to another host is allowed.
  package var isInsecure: Bool
  /// The entry's own log level.
  package var logLevel: LogLevel?
  /// The connector's own settings.
  package var settings: Settings
  /// Line of the entry in the file.
  package var line: Int
}
