/// A JSON number: an integer of 64 bits, a double, or, where neither writes itself as the document
/// did, its spelling.
///
/// Nothing is lost between parsing and writing: `22.0` stays `22.0`, `1e5` stays `1e5`, an integer
/// of forty digits keeps them all. Two numbers are equal when their ``integer``s are, else when
/// their ``double``s are, else when they are spelled alike; so `2`, `2.0` and `20e-1` are one
/// number, and integers beyond 64 bits are compared as doubles.
package struct JSONNumber: Sendable, Hashable {
  private enum Storage: Sendable {
    case integer(Int64)
    case double(Double)
    case spelled(String)
  }
  private let storage: Storage

  /// An integer.
  package init(_ value: Int64) { storage = .integer(value) }

  /// A double; nil for what JSON cannot say (not finite). It is written with the fewest digits that
  /// read back as the same double, an integral one with `.0`.
  package init?(_ value: Double) {
    guard value.isFinite else { return nil }
    storage = .double(value)
  }

  /// A number as a document spells it; `spelling` must follow the grammar of RFC 8259.
  init(spelled spelling: String) { storage = .spelled(spelling) }

  /// A double that is known to be finite and to write itself as the document did.
  init(finite value: Double) { storage = .double(value) }

  /// The nearest double; nil when out of range.
  package var double: Double? {
    switch storage {
    case .integer(let value): return Double(value)
    case .double(let value): return value
    case .spelled(let text):
      guard let value = Double(text), value.isFinite else { return nil }
      return value
    }
  }

  /// The integer, exactly; nil when there is a fraction or it is out of range. `2.0` is 2.
  package var integer: Int64? {
    switch storage {
    case .integer(let value): value
    case .double(let value): Int64(exactly: value)
    case .spelled(let text): DecimalSpelling(text).integer
    }
  }

  /// The number as it is written in a document.
  package var spelling: String {
    switch storage {
    case .integer(let value): value.description
    case .double(let value): value.description
    case .spelled(let text): text
    }
  }

  /// Equal as numbers; see the type.
  package static func == (left: JSONNumber, right: JSONNumber) -> Bool {
    switch (left.storage, right.storage) {
    case (.integer(let mine), .integer(let other)): mine == other
    case (.double(let mine), .double(let other)): mine == other
    default: left.identity == right.identity
    }
  }

  /// Hashes what equality compares.
  package func hash(into hasher: inout Hasher) { hasher.combine(identity) }

  private enum Identity: Hashable {
    case integer(Int64)
    case double(Double)
    case spelled(String)
  }

  private var identity: Identity {
    if let integer { return .integer(integer) }
    if let double { return .double(double) }
    return .spelled(spelling)
  }
}
