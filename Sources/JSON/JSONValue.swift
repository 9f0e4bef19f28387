/// A JSON document or a part of one (RFC 8259), numbers kept exactly.
package enum JSONValue: Sendable, Hashable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number, with the spelling it came with.
  case number(JSONNumber)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object.
  case object(JSONObject)
}

extension JSONValue {
  /// The string, or nil when this is no string.
  package var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The truth value, or nil when this is no truth value.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The array, or nil when this is no array.
  package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The object, or nil when this is no object.
  package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// The number, or nil when this is no number.
  package var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }
  /// The number as a double, or nil when this is no number or out of range.
  package var double: Double? { number?.double }
  /// The number as an integer, or nil when this is no number, has a fraction or is out of range.
  package var integer: Int64? { number?.integer }
  /// Whether this is `null`.
  package var isNull: Bool { if case .null = self { true } else { false } }
  /// The member `key` of an object, or nil.
  package subscript(key: String) -> JSONValue? { object?[key] }

  /// An integer, exactly, of whatever size.
  package static func integer(_ value: some BinaryInteger) -> JSONValue {
    if let small = Int64(exactly: value) { return .number(JSONNumber(small)) }
    return .number(JSONNumber(spelled: String(value)))
  }
  /// A double; nil and what is not finite become `null`.
  package static func double(_ value: Double?) -> JSONValue {
    guard let value, let number = JSONNumber(value) else { return .null }
    return .number(number)
  }
  /// A string; nil becomes `null`.
  package static func string(orNull value: String?) -> JSONValue {
    value.map(JSONValue.string) ?? .null
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
  ExpressibleByNilLiteral, ExpressibleByFloatLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
  package init(floatLiteral value: Double) { self = .double(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }
  package init(nilLiteral: ()) { self = .null }
}
