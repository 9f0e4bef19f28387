package import ConnectorKit
package import Networking
package import Platform

/// The one connection to Moonraker: connects, identifies, subscribes, feeds the cache, and comes back after every loss.
package final class MoonrakerLink: Sendable {
  private let driver: LinkDriver
  private let conditionText = Guarded("not started")

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
  package convenience init(
    settings: MoonrakerSettings, cache: StatusCache, network: Network,
    networkSettings: NetworkSettings, time: any TimeSource, log: Log,
    random: @escaping @Sendable () -> Double
  ) {
    self.init(settings: settings, cache: cache, time: time, log: log, random: random) {
      () async throws(NetworkError) in
      switch settings.address.endpoint {
      case .webSocket(let url): try await network.webSocket(url, settings: networkSettings)
      case .unixSocket(let path): try await network.unixSocket(path)
      }
    }
  }

  /// A link over connections that `open` makes.
  package init(
    settings: MoonrakerSettings, cache: StatusCache, time: any TimeSource, log: Log,
    random: @escaping @Sendable () -> Double,
    open: @escaping @Sendable () async throws(NetworkError) -> any MessageConnection
  ) {
    let usesPing = if case .webSocket = settings.address.endpoint { true } else { false }
    driver = LinkDriver(
      settings: settings, usesPing: usesPing, cache: cache, time: time, log: log, random: random,
      condition: conditionText, open: open)
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

  /// One line for `status`: what the link is doing or why it is away, and notes such as an agent name that was taken.
  package var condition: String { conditionText.withLock { $0 } }
}
