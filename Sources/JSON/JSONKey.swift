/// A key of an object, compared byte for byte: `String`'s own equality would merge keys that differ
/// in Unicode normalisation only.
struct JSONKey: Hashable, Sendable {
  private let text: String

  init(_ text: String) { self.text = text }

  static func == (left: JSONKey, right: JSONKey) -> Bool { areEqual(left.text, right.text) }

  func hash(into hasher: inout Hasher) {
    // The bytes, not `String`'s normalised text: or hostile keys could all share one hash.
    var text = text
    text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(text.utf8.count)
  }

  /// Whether both have the same bytes.
  static func areEqual(_ left: String, _ right: String) -> Bool {
    // The first comparison decides nearly always, and fast.
    left == right && left.utf8.elementsEqual(right.utf8)
  }
}
