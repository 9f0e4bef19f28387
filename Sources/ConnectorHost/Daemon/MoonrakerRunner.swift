internal import ConnectorKit
internal import JSON
internal import Moonraker
internal import Networking
internal import Platform

/// Keeps the one Moonraker link running, and exchanges it when its settings change. The cache stays the same.
final class MoonrakerRunner: Sendable {
  private struct Running {
    var link: MoonrakerLink
    var task: Task<Void, Never>
    var files: MoonrakerFiles
  }
  private let running = Guarded<Running?>(nil)
  private let cache: StatusCache
  private let network: Network
  private let time: any TimeSource
  private let log: Log
  /// What we are to Moonraker as an agent; nothing, until somebody wants to be it.
  private let agent = Guarded<(macros: [String: RemoteMethod], requests: AgentRequests?)>(
    ([:], nil))

  init(cache: StatusCache, network: Network, time: any TimeSource, log: Log) {
    self.cache = cache
    self.network = network
    self.time = time
    self.log = log
  }

  /// What the link says of itself.
  var condition: String { running.withLock { $0?.link }?.condition ?? "not started" }

  /// The printer's files; nil before the first ``start(_:networkSettings:interest:)``. A later link has its own.
  var files: MoonrakerFiles? { running.withLock { $0?.files } }

  /// Has links that are started from now on serve Moonraker's other side: macros and requests.
  ///
  /// - Parameters:
  ///   - macros: what macros may call, by name; each hands over and returns.
  ///   - requests: answers what other clients of Moonraker's ask.
  func serve(macros: [String: RemoteMethod], requests: @escaping AgentRequests) {
    agent.withLock { $0 = (macros, requests) }
  }

  /// Starts a link with these settings; a former one is ended first.
  func start(
    _ settings: MoonrakerSettings, networkSettings: NetworkSettings, interest: StatusInterest
  ) async {
    await stop()
    let (macros, requests) = agent.withLock { $0 }
    let link = MoonrakerLink(
      settings: settings, cache: cache, network: network, networkSettings: networkSettings,
      time: time, log: log, random: { Double.random(in: 0..<1) }, remoteMethods: macros,
      requests: requests)
    let files = MoonrakerFiles(
      caller: link, settings: settings,
      transport: LoggedTransport(
        base: network.client(settings: networkSettings), log: log, time: time))
    await link.setInterest(interest)
    let task = Task { [time, log] in
      while !Task.isCancelled {
        do {
          try await link.run()
        } catch {
          guard !Task.isCancelled else { return }
          log(.error, "the link ended: \(error)")
        }
        try? await time.sleep(for: .seconds(1))
      }
    }
    running.withLock { $0 = Running(link: link, task: task, files: files) }
  }

  /// Hands on what the enabled backends need.
  func setInterest(_ interest: StatusInterest) async {
    await running.withLock { $0?.link }?.setInterest(interest)
  }

  /// Waits until the cache holds what was asked for last, for at most `limit`, and not at all while Moonraker is away.
  func subscribed(within limit: Duration) async {
    guard let link = running.withLock({ $0?.link }) else { return }
    await withTaskGroup { [time] group in
      group.addTask { await link.subscribed() }
      group.addTask { try? await time.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }

  /// Ends the link; returns when it has ended.
  func stop() async {
    let former = running.withLock { running -> Running? in
      defer { running = nil }
      return running
    }
    former?.task.cancel()
    await former?.task.value
  }
}

extension MoonrakerRunner: MoonrakerCaller {
  /// Calls `method` on the link in force. Safe from any thread.
  func call(
    _ method: String, _ params: JSONObject?, timeout: Duration?
  ) async throws(RPCFailure) -> JSONValue {
    guard let link = running.withLock({ $0?.link }) else { throw .notSent("not started") }
    return try await link.call(method, params, timeout: timeout)
  }
}
