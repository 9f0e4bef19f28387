/// A request target in origin form, decoded once and strictly.
struct RequestTarget: Sendable {
  /// The path, decoded, with a leading slash.
  var path: String
  /// Query parameters, decoded, in order.
  var query: [(name: String, value: String)]

  /// Reads `bytes` as they stand in the request line.
  ///
  /// - Throws: ``Refusal`` (400) for another form than the origin form, raw bytes that do not belong there, escapes
  ///   that are broken or stand for a control character or (in the path) a slash, and text that is not UTF-8.
  init(_ bytes: some Collection<UInt8>) throws(Refusal) {
    guard bytes.first == UInt8(ascii: "/") else {
      throw Refusal(400, "The request target must be a path: this is no proxy.")
    }
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
      throw Refusal(400, "The request target holds a byte that must be escaped.")
    }
    let parts = bytes.split(
      separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
    path = try Self.decode(parts.first ?? bytes[...], isPath: true)
    query = []
    guard parts.count == 2, let pairs = parts.last else { return }
    for pair in pairs.split(separator: UInt8(ascii: "&")) {
      let sides = pair.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = sides.first else { continue }
      let value = sides.count == 2 ? try Self.decode(sides[1], isPath: false) : ""
      query.append((try Self.decode(name, isPath: false), value))
    }
  }

  private static func decode(
    _ bytes: some Collection<UInt8>, isPath: Bool
  ) throws(Refusal) -> String {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var rest = bytes.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.next().flatMap(ASCII.hexadecimal),
          let low = rest.next().flatMap(ASCII.hexadecimal)
        else { throw Refusal(400, "The request target holds a broken percent-escape.") }
        let value = high << 4 | low
        guard !ASCII.isControl(value), !(isPath && value == UInt8(ascii: "/")) else {
          throw Refusal(400, "The request target escapes a character that may not stand there.")
        }
        decoded.append(value)
      case UInt8(ascii: "+") where !isPath: decoded.append(UInt8(ascii: " "))
      default: decoded.append(byte)
      }
    }
    guard let text = String(validating: decoded, as: UTF8.self) else {
      throw Refusal(400, "The request target is not UTF-8.")
    }
    return text
  }
}
