/// A place in a YAML file.
package struct YAMLPosition: Sendable, Hashable {
  /// Line, counted from 1.
  package var line: Int
  /// Column in characters, counted from 1.
  package var column: Int
  /// A place in a file.
  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// A node of a YAML document, with the place where it starts.
///
/// Scalars stay text: what they mean is the reader's declaration, never YAML 1.1's guess.
package struct YAMLNode: Sendable {
  /// A key and its value in a mapping.
  package struct Member: Sendable {
    /// The key as text.
    package var key: String
    /// Where the key stands.
    package var keyPosition: YAMLPosition
    /// The value.
    package var value: YAMLNode
    /// Whether key and value are all that stands on their one line, so that the line could go and the rest would
    /// stay as it is: no flow style, no dash before the key, no anchor or alias, a value of one line.
    package var isAloneOnLine: Bool
    /// A member of a mapping.
    package init(
      key: String, keyPosition: YAMLPosition, value: YAMLNode, isAloneOnLine: Bool = false
    ) {
      self.key = key
      self.keyPosition = keyPosition
      self.value = value
      self.isAloneOnLine = isAloneOnLine
    }
  }
  /// What a node is.
  package enum Content: Sendable {
    /// A scalar; `isPlain` when it stands without quotes, so that `null`, `~` and nothing can mean "not set".
    case scalar(String, isPlain: Bool)
    /// A sequence.
    case sequence([YAMLNode])
    /// A mapping in order, duplicate keys included.
    case mapping([Member])
  }
  /// What the node is.
  package var content: Content
  /// Where it starts.
  package var position: YAMLPosition
  /// A node at a place.
  package init(content: Content, position: YAMLPosition) {
    self.content = content
    self.position = position
  }
}
