package import ConnectorKit

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
  /// The page that Moonraker's other clients may offer as a link to us.
  package var pageURL: String

  /// Settings for one Moonraker.
  package init(
    address: MoonrakerAddress, httpAddress: String? = nil, apiKey: Secret? = nil,
    agentName: String = Product.name, pageURL: String = "http://127.0.0.1:7180"
  ) {
    self.address = address
    self.httpAddress = httpAddress
    self.apiKey = apiKey
    self.agentName = agentName
    self.pageURL = pageURL
  }
}
