internal import Platform

/// This host's address in the local network, as the relay is told.
enum LocalAddress {
  /// The configured address, else the one from which the relay is reached, else the one from which
  /// the internet is, else the first; empty when there is none. Asked anew each time, since
  /// addresses change. Nothing is sent.
  static func find(configured: String?, relay: RelayAddress) async -> String {
    if let configured { return configured }
    let found = try? await offload {
      for target in [relay.host, "8.8.8.8"] {
        if let address = HostInformation.localAddress(toReach: target), isUseful(address) {
          return address
        }
      }
      return HostInformation.firstIPv4Address ?? ""
    }
    return found ?? ""
  }

  /// Whether others can use the address: IPv4, and not this host's own loopback.
  private static func isUseful(_ address: String) -> Bool {
    !address.contains(":") && !address.hasPrefix("127.")
  }
}
