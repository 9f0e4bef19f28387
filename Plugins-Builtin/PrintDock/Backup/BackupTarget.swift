internal import ConnectorKit
internal import Networking

/// Where a backup may be sent to. Pure.
///
/// The address comes from the cloud, so it must not lead to this host or into its network: encrypted and public only.
/// The one exception is the cloud's own server as the owner has configured it (``CloudServer``); without TLS only where
/// that is this host.
enum BackupTarget {
  /// The request that sends a backup; nil for an address that it may not go to.
  ///
  /// - Parameters:
  ///   - cloud: the configured address of the cloud.
  ///   - moonraker: Moonraker's address.
  static func request(to address: String, cloud: String, moonraker: String) -> HTTPRequest? {
    guard address.utf8.count <= 8_192, let url = URLParts(address), !url.hasCredentials,
      let cloud = CloudServer(cloud)
    else { return nil }
    switch url.scheme {
    case "https": break
    case "http" where url.isLoopback && cloud.isItself(address, moonraker: moonraker): break
    default: return nil
    }
    var request = HTTPRequest(
      "PUT", address, fields: [HTTPField("Content-Type", "application/gzip")],
      connectTimeout: .seconds(10), answerLimit: 65_536)
    request.stallTimeout = .seconds(30)
    request.addresses = cloud.addresses(for: address, moonraker: moonraker)
    return request
  }
}
