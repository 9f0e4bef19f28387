internal import ConnectorKit
internal import Networking

/// Header fields that this connector sends.
enum HTTPFieldOfOurs {
  /// How it calls itself.
  static let userAgent = HTTPField("User-Agent", "\(Product.name)/\(Product.version)")
}
