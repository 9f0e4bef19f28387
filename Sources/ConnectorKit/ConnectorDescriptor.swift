/// What a connector is, as data: from it come the registry's listing, the decoder, the schema and the reference page.
package struct ConnectorDescriptor: Sendable {
  /// The `type` in the configuration: `printdock`.
  package var type: String
  /// The name of the service, for people: `PrintDock`.
  package var title: String
  /// One sentence: what the connector does.
  package var summary: String
  /// Its settings, in the order in which they are shown.
  package var settings: [SettingDeclaration]
  /// What it reads of the printer, as Moonraker's objects.
  package var reads: StatusInterest
  /// The commands that its wire knows, in the order in which they are shown; empty: it obeys nobody.
  package var commands: [DeclaredCommand]
  /// What it tells its far side.
  package var sends: [SentField]
  /// How much it sends and fetches, in one line for the owner: bytes per hour at the default intervals; nil: not known.
  package var traffic: String?
  /// Whether the far side comes to us; such a backend is skipped and named by `run --once`.
  package var isInbound: Bool
  /// Whether the far side acknowledges by its status alone (a webhook): then any 2xx that is no web page means *taken*.
  /// Otherwise an answer must be understood before the backend calls itself online.
  package var isAcknowledgedByStatus: Bool
  /// The smallest entry that works, as YAML lines of one `backends` entry without the leading dash.
  package var minimalExample: String
  /// One line on what `run` would do with these settings, for `validate`; no secrets. Pure.
  package var intention: @Sendable (Settings) -> String
  /// Environment variables that fill settings, by setting key, in order of precedence.
  package var environment: [EnvironmentRule]
  /// Keys that the service's own agent knows and this connector refuses, each with what to write instead.
  package var refusedKeys: [String: String]
  /// The service's own spellings of keys that every entry knows (`allowed_macros`…), each with that key.
  package var hostAliases: [String: String]
  /// Whether `allowed_gcode_patterns` that are written down stand for the usual ones (`G*`, `M*`, `T*`) instead of adding
  /// to them; more than these they allow at level full only, as everywhere.
  package var patternsReplaceUsual: Bool
  /// Commands of the command line that it brings along.
  package var tools: [ToolDeclaration]
  /// The service's own agent, which must not run beside us with the same pairing; nil: there is none.
  package var originalAgent: ServiceAgent?
  /// The secret setting that pairs, or pairs again: `printer-uplink pair` gives it a value; nil: nothing is to be paired.
  package var pairingKey: String?
  /// Keys of settings that decide who is obeyed or what happens by itself, beside URLs and what begins with `allow`: a change
  /// of one is told as what it is, and waits under `control.pin_permissions`.
  package var trustedKeys: Set<String> = []
  /// For an inbound connector: the address on this host that the far side calls, nil where that is not known. A GET of
  /// it that is answered with 2xx leads to us. Pure.
  package var calledAt: @Sendable (Settings) -> String? = { _ in nil }
  /// Where its far side shows what macros say (``PrinterStatus/messages``), for the owner; nil: it has no place for that.
  package var messages: String?
  /// Whether the far side finds us by multicast DNS. Pure.
  package var isFoundByMDNS: @Sendable (Settings) -> Bool = { _ in false }

  /// Describes a connector.
  package init(
    type: String, title: String, summary: String, settings: [SettingDeclaration],
    reads: StatusInterest, commands: [DeclaredCommand] = [], sends: [SentField] = [],
    traffic: String? = nil,
    isInbound: Bool = false, isAcknowledgedByStatus: Bool = false,
    minimalExample: String,
    environment: [EnvironmentRule] = [], refusedKeys: [String: String] = [:],
    hostAliases: [String: String] = [:], patternsReplaceUsual: Bool = false,
    tools: [ToolDeclaration] = [], originalAgent: ServiceAgent? = nil,
    pairingKey: String? = nil, messages: String? = nil,
    intention: @escaping @Sendable (Settings) -> String
  ) {
    self.type = type
    self.title = title
    self.summary = summary
    self.settings = settings
    self.reads = reads
    self.commands = commands
    self.sends = sends
    self.traffic = traffic
    self.isInbound = isInbound
    self.isAcknowledgedByStatus = isAcknowledgedByStatus
    self.minimalExample = minimalExample
    self.environment = environment
    self.refusedKeys = refusedKeys
    self.hostAliases = hostAliases
    self.patternsReplaceUsual = patternsReplaceUsual
    self.tools = tools
    self.originalAgent = originalAgent
    self.pairingKey = pairingKey
    self.messages = messages
    self.intention = intention
  }
}

/// An environment variable that gives a setting its value.
package struct EnvironmentRule: Sendable {
  /// When the variable counts.
  package enum Precedence: Sendable {
    /// It wins over the file.
    case overridesFile
    /// It fills a key that the file leaves out, and only while this is the only entry of its type.
    case fillsAbsentKeyOfOnlyEntry
  }
  /// The variable's name.
  package var variable: String
  /// The setting's key.
  package var setting: String
  /// When it counts.
  package var precedence: Precedence
  /// A rule for one variable.
  package init(_ variable: String, setting: String, _ precedence: Precedence) {
    self.variable = variable
    self.setting = setting
    self.precedence = precedence
  }
}
