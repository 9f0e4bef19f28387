package import ConnectorKit
package import Platform

/// All that the dashboard, `/health` and `/metrics` show, at one moment.
package struct DaemonView: Sendable {
  /// That a backend's far side has confirmed it.
  package struct Confirmation: Sendable, Hashable {
    /// When.
    package var at: MonotonicInstant
    /// Until when that counts.
    package var until: MonotonicInstant
    /// A confirmation.
    package init(at: MonotonicInstant, until: MonotonicInstant) {
      self.at = at
      self.until = until
    }
  }
  /// One backend.
  package struct Backend: Sendable {
    /// The entry's name.
    package var name: String
    /// The connector's type.
    package var type: String
    /// The service's name, for people.
    package var title: String
    /// Where it stands.
    package var state: BackendState
    /// Since when.
    package var since: MonotonicInstant
    /// The newest confirmation by its far side; nil where its connector knows none, or none came yet.
    package var confirmation: Confirmation?
    /// The permissions as the file says them.
    package var permissions: String
    /// Whether it may speak without TLS.
    package var isInsecure: Bool
    /// How often it was started again.
    package var restarts: UInt64
    /// Things to know: a token that may be deleted, a value from the environment.
    package var notes: [String]
    /// Whether the file says that it runs; a person may have switched it.
    package var isEnabledInFile: Bool
    /// Whether a code pairs it.
    package var isPairable: Bool
    /// Where its own page is on the control server, without the leading slash; nil: it has none.
    package var page: String?
    /// A backend at one moment.
    package init(
      name: String, type: String, title: String, state: BackendState, since: MonotonicInstant,
      confirmation: Confirmation? = nil, permissions: String, isInsecure: Bool, restarts: UInt64,
      notes: [String], isEnabledInFile: Bool = true, isPairable: Bool = false,
      page: String? = nil
    ) {
      self.isPairable = isPairable
      self.page = page
      self.isEnabledInFile = isEnabledInFile
      self.name = name
      self.type = type
      self.title = title
      self.state = state
      self.since = since
      self.confirmation = confirmation
      self.permissions = permissions
      self.isInsecure = isInsecure
      self.restarts = restarts
      self.notes = notes
    }
  }
  /// The printer's name.
  package var printerName: String
  /// The newest snapshot.
  package var status: PrinterStatus
  /// When Moonraker was last heard.
  package var lastHeard: MonotonicInstant?
  /// What the Moonraker link says of itself.
  package var linkCondition: String
  /// The backends in the file's order.
  package var backends: [Backend]
  /// When the daemon started.
  package var startedAt: MonotonicInstant
  /// The moment of this view.
  package var now: MonotonicInstant
  /// The configuration file.
  package var configurationPath: String
  /// What the last reload said, where it failed.
  package var reloadProblem: String?
  /// What the changed file would allow, and what waits for a person; nil: nothing waits.
  package var waiting: WaitingChanges?
  /// What reloads allow that was not allowed before, and nobody has seen yet; oldest first.
  package var widenings: [WideningNotice]
  /// The gate and the outboxes; nil where there are none.
  package var commands: CommandsView?

  /// A view of the daemon.
  package init(
    printerName: String, status: PrinterStatus, lastHeard: MonotonicInstant?,
    linkCondition: String, backends: [Backend], startedAt: MonotonicInstant, now: MonotonicInstant,
    configurationPath: String, reloadProblem: String?, waiting: WaitingChanges? = nil,
    widenings: [WideningNotice] = [],
    commands: CommandsView? = nil
  ) {
    self.printerName = printerName
    self.status = status
    self.lastHeard = lastHeard
    self.linkCondition = linkCondition
    self.backends = backends
    self.startedAt = startedAt
    self.now = now
    self.configurationPath = configurationPath
    self.reloadProblem = reloadProblem
    self.waiting = waiting
    self.widenings = widenings
    self.commands = commands
  }
}
