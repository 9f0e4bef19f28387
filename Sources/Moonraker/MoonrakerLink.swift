package import ConnectorKit
package import JSON
package import Networking
package import Platform

/// The one connection to Moonraker: connects, identifies, subscribes, feeds the cache, and comes back after every loss.
package final class MoonrakerLink: Sendable {
  private let driver: LinkDriver
  private let conditionText = Guarded("not started")
  /// The connection as long as Moonraker has let us in; beside the driver, so that a call never waits for its turn there.
  private let present = Guarded<RPCConnection?>(nil)
  /// Where Moonraker is, and as whom we go there.
  package let settings: MoonrakerSettings

  /// A link that feeds `cache`; nothing is started.
  ///
  /// - Parameters:
  ///   - settings: where Moonraker is, and as whom we go there.
  ///   - cache: what the link feeds; it must be the only one.
  ///   - network: opens the connections.
  ///   - networkSettings: CA file and proxy for a WebSocket.
  ///   - time: the clock of all pauses and time-outs.
  ///   - log: gets each change of state once.
  ///   - random: a uniform number in 0..<1, for the back-off.
  ///   - remoteMethods: what Klipper's macros may call, by the method's name. The names are registered on every
  ///     connection on which we are the agent; requests of Moonraker's other clients never get there.
  ///   - requests: answers requests of Moonraker's other clients; without it they are all refused.
  package convenience init(
    settings: MoonrakerSettings, cache: StatusCache, network: Network,
    networkSettings: NetworkSettings, time: any TimeSource, log: Log,
    random: @escaping @Sendable () -> Double, remoteMethods: [String: RemoteMethod] = [:],
    requests: AgentRequests? = nil
  ) {
    self.init(
      settings: settings, cache: cache, time: time, log: log, random: random,
      remoteMethods: remoteMethods, requests: requests
    ) { () async throws(NetworkError) in
      switch settings.address.endpoint {
      case .webSocket(let url): try await network.webSocket(url, settings: networkSettings)
      case .unixSocket(let path): try await network.unixSocket(path)
      }
    }
  }

  /// A link over connections that `open` makes.
  package init(
    settings: MoonrakerSettings, cache: StatusCache, time: any TimeSource, log: Log,
    random: @escaping @Sendable () -> Double, remoteMethods: [String: RemoteMethod] = [:],
    requests: AgentRequests? = nil,
    open: @escaping @Sendable () async throws(NetworkError) -> any MessageConnection
  ) {
    self.settings = settings
    let usesPing = if case .webSocket = settings.address.endpoint { true } else { false }
    driver = LinkDriver(
      settings: settings, usesPing: usesPing, cache: cache, time: time, log: log, random: random,
      condition: conditionText, present: present, remoteMethods: remoteMethods,
      requests: requests, open: open)
  }

  /// Keeps the connection until cancelled; no failure of Moonraker's ends it.
  ///
  /// - Throws: `CancellationError` when its task was cancelled; everything it started has ended then.
  package func run() async throws {
    await driver.run()
    try Task.checkCancellation()
  }

  /// What the enabled backends need; a change re-subscribes on the living connection.
  package func setInterest(_ interest: StatusInterest) async { await driver.setInterest(interest) }

  /// Returns when the values in the cache are those of the newest interest: at once, unless a change of it is on its way to
  /// Moonraker. Returns when its task is cancelled, too.
  package func subscribed() async { await driver.subscribed() }

  /// One line for `status`: what the link is doing or why it is away, and notes such as an agent name that was taken.
  package var condition: String { conditionText.withLock { $0 } }
}

/// A method of ours that Klipper's macros call: gets the parameters, `null` for none. Runs where the connection is read,
/// so it hands over and returns.
package typealias RemoteMethod = @Sendable (JSONValue) -> Void

extension MoonrakerLink: MoonrakerCaller {
  /// Calls `method` on the present connection; see ``MoonrakerCaller/call(_:_:timeout:)``. Safe from any thread.
  package func call(
    _ method: String, _ params: JSONObject? = nil, timeout: Duration? = .seconds(10)
  ) async throws(RPCFailure) -> JSONValue {
    guard let connection = present.withLock({ $0 }) else { throw .notSent(condition) }
    return try await connection.call(method, params, timeout: timeout)
  }
}
