/// The members of a JSON object, in the order in which they came.
package struct JSONObject: Sendable, Hashable {
  private var members: [String: JSONValue] = [:]

  /// An object without members.
  package init() {}
  /// How many members there are.
  package var count: Int { members.count }
  /// Whether there are none.
  package var isEmpty: Bool { members.isEmpty }
  /// The keys, in order.
  package var keys: [String] { Array(members.keys) }
  /// The member `key`; setting nil removes it, setting another value keeps its place.
  package subscript(key: String) -> JSONValue? {
    get { members[key] }
    set { members[key] = newValue }
  }
}

extension JSONObject: Sequence, ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements { self[key] = value }
  }
  /// The members in order.
  package func makeIterator() -> IndexingIterator<[(key: String, value: JSONValue)]> {
    members.map { (key: $0.key, value: $0.value) }.makeIterator()
  }
}
