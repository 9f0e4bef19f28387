internal import ConnectorKit

/// The settings that are the host's own, declared as the connectors declare theirs.
enum HostSettings {
  /// The version of the file's format that this program reads.
  static let formatVersion = 1

  /// A mapping at the top of the file.
  struct Section {
    var name: String
    var summary: String
    var keys: [ConfigurationKey]
  }

  /// The sections in the order in which they are shown.
  static let sections = [
    Section(name: "printer", summary: "The printer and its Moonraker.", keys: Printer.keys),
    Section(
      name: "control", summary: "The status page, /health and /metrics.", keys: Control.keys),
    Section(name: "network", summary: "How connections leave this host.", keys: Network.keys),
    Section(name: "log", summary: "What is logged, and where.", keys: Log.keys),
  ]

  /// Keys at the top of the file.
  enum Top {
    static let version = Setting.integer(
      "version", default: formatVersion, range: 1...formatVersion,
      "The version of this file's format.")
    static let stateDirectory = Setting.optionalPath(
      "state_directory", example: "/var/lib/printer-uplink",
      "Where pairings live (0700); never inside printer_data/config. Default: $STATE_DIRECTORY, else /var/lib/printer-uplink where it is writable, else $XDG_STATE_HOME/printer-uplink."
    )
    static let keys = [ConfigurationKey(version), ConfigurationKey(stateDirectory)]
  }

  enum Printer {
    static let name = Setting.string(
      "name", default: "Printer", example: "Voron 2.4", maximumLength: 64,
      "The printer's name, as you call it.")
    static let moonraker = Setting.string(
      "moonraker", default: "http://127.0.0.1:7125", maximumLength: 1024,
      "Where Moonraker is: http://host:port, or unix:/path/to/moonraker.sock.")
    static let moonrakerHTTP = Setting.optionalURL(
      "moonraker_http", example: "http://127.0.0.1:7125", tls: .local,
      "With moonraker: unix:…, the address for file bytes; otherwise Moonraker is asked.")
    static let apiKey = Setting.secret(
      "api_key", "Moonraker's API key, only where Moonraker asks for one.")
    static let requireClearBed = Setting.boolean(
      "require_clear_bed", default: false,
      "Whether a start that a person presses in a cloud needs a clear bed too.")
    static let keys = [
      ConfigurationKey(name), ConfigurationKey(moonraker, .moonraker),
      ConfigurationKey(moonrakerHTTP), ConfigurationKey(apiKey),
      ConfigurationKey(requireClearBed, effect: .live),
    ]
  }

  enum Control {
    static let listen = Setting.string(
      "listen", default: "127.0.0.1:7180",
      "Where the status page listens: address:port, or off. 7125 to 7130 are Moonraker's.")
    static let healthListen = Setting.optionalString(
      "health_listen", example: "0.0.0.0:8080",
      "A second listener for /health and nothing else: address:port.")
    static let tokenFile = Setting.optionalPath(
      "token_file", example: "/var/lib/printer-uplink/control.token",
      "The token that visitors from elsewhere need for whatever changes something; made 0600 at the first start."
    )
    static let pinPermissions = Setting.boolean(
      "pin_permissions", default: false,
      "Whether a reload that widens permissions waits until a person confirms it.")
    static let macros = Setting.stringList(
      "macros", default: MacroGrant.byDefault.map(\.rawValue),
      example: "[notify, bed_cleared, switch]",
      "What Klipper's macros may do here, whoever runs them: notify (say something to the clouds), bed_cleared (say that the bed is empty), switch (a cloud off, and on again)."
    )
    static let announceParked = Setting.boolean(
      "announce_parked", default: false,
      "Whether a line on the printer's console says so when a cloud waits for a person; it needs [respond] in printer.cfg."
    )
    static let keys = [
      ConfigurationKey(listen, .listenAddress), ConfigurationKey(healthListen, .listenAddress),
      ConfigurationKey(tokenFile), ConfigurationKey(pinPermissions, effect: .live),
      ConfigurationKey(macros, .words(MacroGrant.allCases.map(\.rawValue)), effect: .live),
      ConfigurationKey(announceParked, effect: .live),
    ]
  }

  enum Network {
    static let caFile = Setting.optionalPath(
      "ca_file", example: "/etc/printer-uplink/ca.pem",
      "Trusted certificate authorities (PEM) instead of the system's.")
    static let proxy = Setting.optionalString(
      "proxy", example: "http://proxy.lan:3128", maximumLength: 1024,
      "The proxy for all clouds; \"\" means none. Default: the usual variables (https_proxy, no_proxy…)."
    )
    static let keys = [ConfigurationKey(caFile), ConfigurationKey(proxy, .proxy)]
  }

  enum Log {
    static let level = Setting.choice(
      "level", default: LogLevel.info.rawValue, of: LogLevel.allCases.map(\.rawValue),
      "The least level that is written.")
    static let file = Setting.optionalPath(
      "file", example: "~/printer_data/logs/printer-uplink.log",
      "A log file in addition to the console (or journald).")
    static let maximumSize = Setting.integer(
      "max_size_mb", default: 10, range: 1...1024, unit: "MB", "The size at which it is rotated.")
    static let backups = Setting.integer(
      "backups", default: 5, range: 0...100, "How many rotated files are kept.")
    static let keys = [level.live, file.live, maximumSize.live, backups.live]
  }

  /// Keys that every entry of `backends` knows beside its connector's own.
  enum Entry {
    static let type = Setting.optionalString(
      "type", isRequired: true, "Which connector: printer-uplink backends lists them.")
    static let name = Setting.optionalString(
      "name", maximumLength: 64,
      "A name of its own, unique in the file; the pairing belongs to it. Default: the type.")
    static let enabled = Setting.boolean(
      "enabled", default: true, "Whether it runs; a disabled entry is checked in keys and types.")
    static let permissions = Setting.choice(
      "permissions", default: PermissionLevel.print.rawValue,
      of: PermissionLevel.allCases.map(\.rawValue),
      "What its cloud may do: a level (each holds those before it), or a list such as [status, pause, cancel]."
    )
    static let allowedMacros = Setting.stringList(
      "allowed_macros", example: "[LOAD_FILAMENT]", "Macros that its cloud may run.")
    static let allowedGcodePatterns = Setting.stringList(
      "allowed_gcode_patterns", example: "[SET_LED, \"BED_MESH_*\"]",
      "Further command words that its cloud may send, * for any rest; only with permissions: full.")
    static let maximumCommandAge = Setting.duration(
      "max_command_age", default: 120, range: .seconds(1)...(.seconds(86_400)),
      "How old a command may be that moves or heats.")
    static let insecure = Setting.boolean(
      "insecure", default: false,
      "Whether it may speak without TLS to a host that is not this one. Everything could be read on the way."
    )
    static let logLevel = Setting.choice(
      "log_level", default: LogLevel.info.rawValue, of: LogLevel.allCases.map(\.rawValue),
      "A log level of its own. Default: log.level.")

    /// The keys that come before the connector's own.
    static let leading = [
      ConfigurationKey(type), ConfigurationKey(name, .name), enabled.live,
      ConfigurationKey(permissions, .permissions, effect: .live),
    ]

    /// The keys that come after them; `insecure` only where a URL of the connector knows it.
    static func trailing(of descriptor: ConnectorDescriptor) -> [ConfigurationKey] {
      let keys =
        [allowedMacros.live, patterns(of: descriptor), maximumCommandAge.live]
        + (knowsInsecure(descriptor) ? [ConfigurationKey(insecure)] : []) + [logLevelKey]
      return keys.map { key in
        var key = key
        key.declaration.aliases += descriptor.hostAliases.filter { $0.value == key.declaration.key }
          .map(\.key).sorted()
        return key
      }
    }

    private static func patterns(of descriptor: ConnectorDescriptor) -> ConfigurationKey {
      var key = allowedGcodePatterns.live
      guard descriptor.patternsReplaceUsual else { return key }
      key.declaration.defaultText = "[G*, M*, T*]"
      key.declaration.summary =
        "The command words that its cloud may send as G-code, * for any rest; beyond G, M and T with a number only with permissions: full."
      return key
    }

    /// Whether the connector has a URL that may do without TLS at the owner's word.
    static func knowsInsecure(_ descriptor: ConnectorDescriptor) -> Bool {
      descriptor.settings.contains {
        if case .url = $0.kind { $0.tls == .requiredUnlessInsecure } else { false }
      }
    }

    /// The connector's own keys.
    static func own(of descriptor: ConnectorDescriptor) -> [ConfigurationKey] {
      descriptor.settings.map { ConfigurationKey($0) }
    }

    /// All keys of an entry of this connector.
    static func keys(of descriptor: ConnectorDescriptor) -> [ConfigurationKey] {
      leading + own(of: descriptor) + trailing(of: descriptor)
    }

    /// The default is `log.level`, not a word of its own.
    private static let logLevelKey = {
      var key = logLevel.live
      key.declaration.defaultText = nil
      key.declaration.example = LogLevel.debug.rawValue
      return key
    }()
  }
}

extension Setting {
  /// A key of the host whose change needs no restart.
  fileprivate var live: ConfigurationKey { ConfigurationKey(self, effect: .live) }
}
