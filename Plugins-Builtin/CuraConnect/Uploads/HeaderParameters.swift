/// A header field's value with parameters: `form-data; name="file"; filename="a b.ufp"`. Lenient: what browsers and Qt send.
struct HeaderParameters: Sendable {
  /// What stands in front of the first semicolon.
  let value: String
  private var parameters: [(name: String, value: String)] = []

  /// Reads a field's value.
  init(_ text: String) {
    var rest = Array(text.utf8)[...]
    value = Self.text(Self.takeUntil(UInt8(ascii: ";"), &rest))
    while !rest.isEmpty, parameters.count < 16 {
      let name = Self.text(Self.takeName(&rest)).lowercased()
      if rest.first == UInt8(ascii: "=") {
        rest.removeFirst()
        parameters.append((name, Self.takeValue(&rest)))
      }
      _ = Self.takeUntil(UInt8(ascii: ";"), &rest)
    }
  }

  /// The value of a parameter; nil where it is missing or stands there twice.
  mutating func take(_ name: String) -> String? {
    let found = parameters.filter { $0.name == name }
    return found.count == 1 ? found.first?.value : nil
  }

  /// All before `end`, which is dropped too.
  private static func takeUntil(_ end: UInt8, _ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>
  {
    let taken = rest.prefix { $0 != end }
    rest = rest.dropFirst(taken.count + 1)
    return taken
  }

  private static func takeName(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let taken = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
    rest = rest.dropFirst(taken.count)
    return taken
  }

  private static func takeValue(_ rest: inout ArraySlice<UInt8>) -> String {
    while rest.first == UInt8(ascii: " ") { rest.removeFirst() }
    guard rest.first == UInt8(ascii: "\"") else {
      let taken = rest.prefix { $0 != UInt8(ascii: ";") }
      rest = rest.dropFirst(taken.count)
      return text(taken)
    }
    rest.removeFirst()
    var bytes: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") { break }
      // Only quotes and backslashes are escaped; a lone backslash is a Windows path's.
      if byte == UInt8(ascii: "\\"), let next = rest.first,
        next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\")
      {
        bytes.append(next)
        rest.removeFirst()
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    var bytes = bytes
    while let first = bytes.first, first == 0x20 || first == 9 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x20 || last == 9 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
