/// A JSON number: an integer of 64 bits, a double, or, where neither holds it exactly, its spelling.
package struct JSONNumber: Sendable, Hashable {
  private var value: Double

  /// An integer.
  package init(_ value: Int64) { self.value = Double(value) }
  /// A double; nil for what JSON cannot say (not finite).
  package init?(_ value: Double) {
    guard value.isFinite else { return nil }
    self.value = value
  }
  /// The nearest double; nil when out of range.
  package var double: Double? { value }
  /// The integer; nil when there is a fraction or it is out of range. `2.0` is 2.
  package var integer: Int64? { Int64(exactly: value) }
}
