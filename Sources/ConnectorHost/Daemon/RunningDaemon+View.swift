internal import ConnectorKit
internal import Moonraker
internal import Platform

extension RunningDaemon {
  /// All that the dashboard shows, at this moment. Safe from any thread.
  func view(of members: [Supervision.Member]) async -> DaemonView {
    await view(of: members, commands: services.view())
  }

  /// The printer alone, for what tells of it every two seconds. Safe from any thread.
  var printerView: DaemonView { view(of: [], commands: nil) }

  private func view(of members: [Supervision.Member], commands: CommandsView?) -> DaemonView {
    DaemonView(
      printerName: configuration.printer.name, status: cache.current, lastHeard: cache.lastHeard,
      linkCondition: moonraker.condition,
      backends: members.map { member in
        let entry = member.configuration
        return DaemonView.Backend(
          name: entry.name, type: entry.connector.descriptor.type,
          title: entry.connector.descriptor.title, state: member.standing.state,
          since: member.standing.since, confirmation: confirmations.newest(of: entry.name),
          permissions: entry.permissionsText,
          isInsecure: entry.isInsecure, restarts: member.standing.restarts,
          notes: switchNotes(on: entry) + secrets.notes(on: entry)
            + Self.environmentNotes(on: entry) + remarks.of(entry.name),
          isEnabledInFile: entry.isEnabledInFile,
          isPairable: entry.connector.descriptor.pairingKey != nil,
          page: pages.address(of: entry.name))
      }, startedAt: startedAt, now: time.now, configurationPath: configurationFile,
      reloadProblem: reloadProblem, waiting: waiting, widenings: widenings.notices,
      commands: commands)
  }

  private func switchNotes(on entry: BackendConfiguration) -> [String] {
    if overlay.current.isOffByMacro(entry.name, written: entry.isEnabledInFile) {
      return ["switched off by a macro; the file says enabled: \(entry.isEnabledInFile)"]
    }
    guard entry.isEnabled != entry.isEnabledInFile else { return [] }
    return [
      entry.isEnabled
        ? "switched on by a person; the file says enabled: false"
        : "switched off by a person; the file says enabled: true"
    ]
  }

  private static func environmentNotes(on entry: BackendConfiguration) -> [String] {
    entry.settings.entries.sorted { $0.key < $1.key }.compactMap { key, value in
      guard case .environment(let variable) = value.origin else { return nil }
      return "\(key) comes from the environment variable \(variable)"
    }
  }
}
