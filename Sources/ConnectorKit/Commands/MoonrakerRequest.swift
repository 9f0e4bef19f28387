package import JSON

/// A request to one of Moonraker's endpoints, as a far side makes it that speaks Moonraker's own API. Only a wish: what it
/// does is read from its path (`MoonrakerRequest+Effect.swift`), whatever the method says.
package struct MoonrakerRequest: Sendable, Hashable {
  /// The HTTP method.
  package enum Method: String, Sendable, Hashable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case delete = "DELETE"
  }

  /// The path's parts, decoded: `["server", "files", "gcodes", "a b.gcode"]`. None is empty, `.`, `..`, or holds a slash, a
  /// backslash or a control character.
  package let parts: [String]
  /// The HTTP method.
  package let method: Method
  /// What comes with it: the query's values as text, the members of a body as they are.
  package let arguments: JSONObject

  /// A request.
  ///
  /// - Parameters:
  ///   - parts: the path's parts, already decoded.
  ///   - query: the query, as Moonraker would read it: every value a text.
  ///   - body: the members of the body; they win over the query's.
  /// - Returns: nil where the path is none that Moonraker can have, or is longer than 1024 bytes.
  package init?(
    parts: [String], method: Method, query: [(key: String, value: String)] = [],
    body: JSONObject = JSONObject()
  ) {
    guard !parts.isEmpty, parts.reduce(0, { $0 + $1.utf8.count + 1 }) <= 1_024,
      parts.allSatisfy(Self.isPart)
    else { return nil }
    self.parts = parts
    self.method = method
    var arguments = JSONObject()
    if parts.count == 3, parts[0] == "printer", parts[1] == "objects", !query.isEmpty {
      // Moonraker reads the query of these as the objects with their fields.
      var objects = JSONObject()
      for (key, value) in query {
        objects[key] =
          value.isEmpty
          ? .null
          : .array(
            value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
              .map { .string(String(Substring($0))) })
      }
      arguments["objects"] = .object(objects)
    } else {
      for (key, value) in query { arguments[key] = .string(value) }
    }
    for (key, value) in body { arguments[key] = value }
    self.arguments = arguments
  }

  /// The path with dots: `server.files.list`.
  package var path: String { parts.joined(separator: ".") }

  /// A text argument; nil where it is missing or no text.
  package func text(_ key: String) -> String? { arguments[key]?.string }

  /// Texts of an argument: a list of them, or one text with commas.
  package func texts(_ key: String) -> [String]? {
    switch arguments[key] {
    case .string(let text):
      return text.utf8.split(separator: UInt8(ascii: ",")).compactMap { String(Substring($0)) }
    case .array(let values):
      let texts = values.compactMap(\.string)
      return texts.count == values.count ? texts : nil
    default: return nil
    }
  }

  /// Whether an argument says yes.
  package func isSet(_ key: String) -> Bool {
    arguments[key]?.bool ?? (text(key).map { $0.lowercased() == "true" } ?? false)
  }

  private static func isPart(_ part: String) -> Bool {
    !part.isEmpty && part != "." && part != ".."
      && part.unicodeScalars.allSatisfy {
        $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0 != "/" && $0 != "\\"
          && $0.value != 0x2028 && $0.value != 0x2029
      }
  }
}
