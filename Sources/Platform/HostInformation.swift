/// What the operating system says of this machine.
package enum HostInformation {
  /// `gethostname()`, or "localhost" where that fails.
  package static var hostName: String { "localhost" }
  /// `uname -m`: `x86_64`, `aarch64`…
  package static var machine: String { "" }
  /// The first IPv4 address that is not loopback, in interface order; nil when there is none.
  package static var firstIPv4Address: String? { nil }
  /// The address from which this host would reach the numeric `address` (a connected UDP socket, nothing is sent).
  package static func localAddress(toReach address: String) -> String? { nil }
}
