/// A service of ours that others on the network shall find by DNS-SD over multicast DNS.
package struct AdvertisedService: Sendable, Hashable {
  /// A key of the service's TXT record with its value.
  package struct Text: Sendable, Hashable {
    /// The key: printable ASCII without `=`.
    package var key: String
    /// The value, UTF-8; key, `=` and value together at most 255 bytes.
    package var value: String
    /// A key with its value.
    package init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }
  /// The instance's name, at most 63 bytes; the full name is `<instance>.<type>.local.`.
  package var instance: String
  /// The service's type: `_ultimaker._tcp`.
  package var type: String
  /// The port that its SRV record names, 1 to 65535.
  package var port: Int
  /// Its TXT record, in order.
  package var text: [Text]

  /// A service.
  package init(instance: String, type: String, port: Int, text: [Text]) {
    self.instance = instance
    self.type = type
    self.port = port
    self.text = text
  }
}
