internal import Networking

/// Addresses that share their first bits: `192.168.1.0/24`.
struct NetworkRange: Sendable, Hashable {
  private let network: IPAddress
  private let bits: Int

  /// The range that `text` says; an address alone is a range of one. Nil where it says none.
  init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard let first = parts.first, parts.count <= 2,
      let address = IPAddress(literal: String(Substring(first)))
    else { return nil }
    let most = if case .v4 = address { 32 } else { 128 }
    let bits = parts.count == 2 ? Int(Substring(parts[1])) ?? -1 : most
    guard (0...most).contains(bits) else { return nil }
    network = address
    self.bits = bits
  }

  /// Whether `address` belongs to it.
  func contains(_ address: IPAddress) -> Bool {
    var address = address
    // A proxy that listens at IPv6 for both names IPv4 visitors like this.
    if case .v6(0, let low) = address, low >> 32 == 0xFFFF {
      address = .v4(UInt32(truncatingIfNeeded: low))
    }
    return switch (network, address) {
    case (.v4(let mine), .v4(let other)): Self.agree(UInt64(mine) << 32, UInt64(other) << 32, bits)
    case (.v6(let high, let low), .v6(let otherHigh, let otherLow)):
      Self.agree(high, otherHigh, min(bits, 64)) && Self.agree(low, otherLow, max(0, bits - 64))
    default: false
    }
  }

  private static func agree(_ left: UInt64, _ right: UInt64, _ bits: Int) -> Bool {
    bits == 0 || left >> UInt64(64 - bits) == right >> UInt64(64 - bits)
  }

  /// Private, link-local and this host.
  static let local = [
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "::1",
    "fc00::/7", "fe80::/10",
  ].compactMap { NetworkRange($0) }
}
