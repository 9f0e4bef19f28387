/// A service as it is shown on the local network (DNS-SD).
package struct DiscoverableService: Sendable, Hashable {
  /// One entry of its TXT record.
  package struct TextEntry: Sendable, Hashable {
    /// The key.
    package var key: String
    /// The value.
    package var value: String

    /// An entry; `key=value` has at most 255 bytes on the wire, what is longer is cut at a character.
    package init(_ key: String, _ value: String) {
      self.key = key
      self.value = value.prefix(utf8Bytes: max(0, 254 - key.utf8.count))
    }
  }
  /// Its name, unique on the network among those of its type; at most 63 bytes.
  package var instance: String
  /// Its type: `_ultimaker._tcp`.
  package var type: String
  /// The TCP port that clients reach, 1…65535.
  package var port: UInt16
  /// The TXT record, in this order.
  package var text: [TextEntry]

  /// A service; an instance name that is too long is cut at a character.
  package init(instance: String, type: String, port: UInt16, text: [TextEntry]) {
    self.instance = instance.prefix(utf8Bytes: 63)
    self.type = type
    self.port = port
    self.text = text
  }
}

extension String {
  /// The longest beginning of whole characters that has at most `count` bytes.
  fileprivate func prefix(utf8Bytes count: Int) -> String {
    guard utf8.count > count else { return self }
    var kept = ""
    var bytes = 0
    for character in self {
      bytes += character.utf8.count
      guard bytes <= count else { break }
      kept.append(character)
    }
    return kept
  }
}
