extension YAMLNode {
  /// Parses one document of UTF-8 text; nil when it is empty (nothing, or comments only).
  ///
  /// Aliases are expanded; tags, merge keys (`<<`), keys that are no scalars and a second document are refused.
  /// Duplicate keys are kept: the reader reports them with their path.
  ///
  /// - Throws: `YAMLError` with the place of what cannot be read, or of what exceeds `limits`.
  package static func parse(
    _ bytes: [UInt8], limits: YAMLLimits = YAMLLimits()
  ) throws(YAMLError) -> YAMLNode? {
    guard bytes.count <= limits.bytes else {
      throw YAMLError(
        "the file has \(bytes.count) bytes, more than the \(limits.bytes) that a configuration may have",
        remedy: "check that this is the right file", position: YAMLPosition(line: 1, column: 1))
    }
    let text = try YAMLText(bytes)
    var composer = YAMLComposer(reader: try YAMLEventReader(text.bytes), text: text, limits: limits)
    return try composer.document()
  }
}
