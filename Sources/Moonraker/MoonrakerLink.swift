package import ConnectorKit
package import Networking
package import Platform

/// How to reach Moonraker and as whom.
package struct MoonrakerSettings: Sendable, Hashable {
  /// Where Moonraker is.
  package var address: MoonrakerAddress
  /// The address for file bytes where `address` is a Unix socket; nil: from `server.config`.
  package var httpAddress: String?
  /// The API key, where Moonraker asks for one.
  package var apiKey: Secret?
  /// The agent name that we identify with.
  package var agentName: String
  /// Settings for one Moonraker.
  package init(
    address: MoonrakerAddress, httpAddress: String? = nil, apiKey: Secret? = nil,
    agentName: String = Product.name
  ) {
    self.address = address
    self.httpAddress = httpAddress
    self.apiKey = apiKey
    self.agentName = agentName
  }
}

/// The one connection to Moonraker: connects, identifies, subscribes, feeds the cache, and comes back after every loss.
package final class MoonrakerLink: Sendable {
  /// A link that feeds `cache`; nothing is started.
  package init(
    settings: MoonrakerSettings, cache: StatusCache, network: Network,
    networkSettings: NetworkSettings, time: any TimeSource, log: Log,
    random: @escaping @Sendable () -> Double
  ) {}

  /// Keeps the connection until cancelled; no failure of Moonraker's ends it.
  package func run() async throws {}

  /// What the enabled backends need; a change re-subscribes on the living connection.
  package func setInterest(_ interest: StatusInterest) async {}

  /// One line for `status`: what the link is doing or why it is away, and notes such as an agent name that was taken.
  package var condition: String { "" }
}
