internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// How the clouds' accounts stand: as the running daemon has seen it last, else by a harmless call of each backend.
struct AccountExaminer: Sendable {
  let loader: ConfigurationLoader
  let time: any TimeSource
  /// So long the calls may take together.
  var patience = Examiner.probePatience

  /// The accounts by the backends' names.
  ///
  /// - Parameters:
  ///   - folder: the state directory; nil where there is none yet.
  ///   - status: what the running daemon says; nil where none runs.
  ///   - reached: the backends whose cloud answers; others are not asked.
  func accounts(
    of entries: [BackendConfiguration], in configuration: Configuration, fingerprint: String,
    folder: String?, status: JSONValue?, reached: Set<String>
  ) async -> [String: Observations.Account] {
    let outbound = entries.filter { !$0.connector.descriptor.isInbound }
    if let status {
      return Dictionary(
        outbound.map { ($0.name, Self.account(of: $0.name, in: status)) },
        uniquingKeysWith: { first, _ in first })
    }
    func none(_ why: String) -> [String: Observations.Account] {
      Dictionary(
        outbound.map { ($0.name, .notAsked(why)) }, uniquingKeysWith: { first, _ in first })
    }
    guard folder != nil else { return none("nothing is paired yet: start the daemon") }
    let asked = outbound.filter { reached.contains($0.name) }
    guard !asked.isEmpty else { return none("its cloud was not reached") }
    do {
      return try await probed(
        asked, configuration, fingerprint, none("its cloud was not reached"))
    } catch let failure as StateFailure where failure.isHeld {
      return none("another daemon or doctor is at it just now; ask again in a minute")
    } catch {
      return none("\(error)")
    }
  }

  private func probed(
    _ asked: [BackendConfiguration], _ configuration: Configuration, _ fingerprint: String,
    _ others: [String: Observations.Account]
  ) async throws -> [String: Observations.Account] {
    let path = try StateDirectory.location(
      configured: configuration.stateDirectory, environment: loader.environment,
      configurationPath: configuration.path)
    let directory = try StateDirectory(opening: path, configurationPath: configuration.path)
    // What a probe is given (a token that is rotated with it) must not come between a daemon and its pairing.
    let lock = try directory.lock(isSigned: false)
    defer { withExtendedLifetime(lock) {} }
    let stored = FileIdentityStore.names(inStateDirectory: directory.path)
    let accounts = try await probe(asked, configuration, fingerprint, directory)
    return others.merging(accounts) { _, probed in probed }.merging(
      asked.compactMap { entry in
        guard case .probed(let report) = accounts[entry.name], !report.isHealthy,
          report.summary.contains(text: "not paired"), !stored.contains(entry.name)
        else { return nil }
        let key = entry.connector.descriptor.pairingKey
        let hasCode = key.map { entry.settings.entries[$0] != nil } ?? false
        return (
          entry.name,
          hasCode ? .notAsked("it is paired when the daemon starts") : .unpaired(entry.name)
        )
      }
    ) { _, unpaired in unpaired }
  }

  private func probe(
    _ entries: [BackendConfiguration], _ configuration: Configuration, _ fingerprint: String,
    _ directory: StateDirectory
  ) async throws -> [String: Observations.Account] {
    let parts = try RunningDaemon(
      options: RunOptions(configurationPath: configuration.path, once: true), loader: loader,
      configuration: configuration, fingerprint: fingerprint, directory: directory,
      writer: LogWriter(settings: .init(level: .critical), time: time), time: time)
    let assembly = parts.assembly(configuration)
    let accounts = await withTaskGroup(of: (String, Observations.Account).self) { group in
      for entry in entries {
        group.addTask {
          let context = assembly.context(for: entry, report: { _ in })
          return (entry.name, await probe(entry, context))
        }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    await parts.services.close()
    parts.network.shutdown()
    return accounts
  }

  private func probe(
    _ entry: BackendConfiguration, _ context: BackendContext
  ) async -> Observations.Account {
    let result: Observations.Account? = await bounded(by: patience, time: time) {
      do {
        let report = try await entry.connector.probe(settings: entry.settings, context: context)
        return report.map(Observations.Account.probed) ?? .notCheckable
      } catch {
        return .probeFailed("\(error)")
      }
    }
    return result ?? .probeFailed("no answer in time")
  }

  /// What the running daemon's `/api/status` says of a backend.
  static func account(of name: String, in status: JSONValue) -> Observations.Account {
    let entry = status["backends"]?.array?.first { $0["name"]?.string == name }
    guard let entry, let state = entry["state"]?.string else {
      return .notAsked("the daemon does not know this entry yet: '\(Product.name) reload'")
    }
    return .running(
      state: state, problem: entry["problem"]?.string, remedy: entry["remedy"]?.string,
      isFailing: entry["failing"]?.string != nil || ["parked", "backing off"].contains(state))
  }
}
