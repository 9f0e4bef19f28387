internal import JSON

/// Numbers and ids as PHP writes them: sometimes as text.
enum HubNumber {
  /// A finite number, from a JSON number or from text that is one: digits with a sign and a point, no other form.
  static func double(_ value: JSONValue?) -> Double? {
    switch value {
    case .number(let number): return number.double
    case .string(let text):
      let bytes = Array(text.utf8)
      guard (1...32).contains(bytes.count),
        bytes.allSatisfy({ (0x30...0x39).contains($0) || "+-.".utf8.contains($0) }),
        let number = Double(text), number.isFinite
      else { return nil }
      return number
    default: return nil
    }
  }

  /// An id: text, or a whole number; at most 200 characters without control characters.
  static func id(_ value: JSONValue?) -> String? {
    switch value {
    case .string(let text):
      let isClean = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7F }
      return isClean && (1...200).contains(text.utf8.count) ? text : nil
    case .number(let number): return number.integer.map { "\($0)" }
    default: return nil
    }
  }
}
