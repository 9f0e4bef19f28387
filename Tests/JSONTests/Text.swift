import JSON

extension JSONValue {
  /// Parses the UTF-8 of `text`.
  init(text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), limits: limits)
  }

  /// The written document as text.
  var text: String { String(decoding: serialized(), as: UTF8.self) }
}
