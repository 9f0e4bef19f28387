/// JSON for people: two spaces of indentation, one member per line, short lists of plain values in one.
package enum PrettyJSON {
  /// The document with a final line break.
  package static func text(_ value: JSONValue) -> String { render(value, indent: "") + "\n" }

  private static func render(_ value: JSONValue, indent: String) -> String {
    let inner = indent + "  "
    switch value {
    case .object(let object) where !object.isEmpty:
      let members = object.map {
        "\(inner)\(compact(.string($0.key))): \(render($0.value, indent: inner))"
      }
      return "{\n" + members.joined(separator: ",\n") + "\n\(indent)}"
    case .array(let items) where !items.isEmpty:
      let line = "[" + items.map(compact).joined(separator: ", ") + "]"
      if items.allSatisfy(\.isPlain) && line.count <= 80 { return line }
      let rows = items.map { inner + render($0, indent: inner) }
      return "[\n" + rows.joined(separator: ",\n") + "\n\(indent)]"
    default: return compact(value)
    }
  }

  private static func compact(_ value: JSONValue) -> String {
    String(decoding: value.serialized(), as: UTF8.self)
  }
}

extension JSONValue {
  fileprivate var isPlain: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }
}
