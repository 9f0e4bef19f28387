/// What this program calls itself on every wire.
package enum Product {
  /// The program's name.
  package static let name = "printer-uplink"
  /// The program's version.
  package static let version = "0.1.0"
}
