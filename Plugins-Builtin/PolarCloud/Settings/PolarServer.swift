internal import ConnectorKit
internal import Networking

/// Where the Polar Cloud's printer server is.
struct PolarServer: Sendable, Hashable {
  /// The server that alone may lie in the house.
  let cloud: CloudServer
  /// The query of the configured address, still escaped; nil where there is none.
  let query: String?

  /// `https://host[:port]`.
  var origin: String { cloud.origin }
  /// The host, for messages.
  var host: String { cloud.host }

  /// Reads an address.
  ///
  /// - Returns: nil where it is none, or carries a user or a password.
  init?(_ url: String) {
    guard let cloud = CloudServer(url) else { return nil }
    self.cloud = cloud
    query = URLParts(url)?.query
  }
}
