internal import ConnectorKit

/// HTML in the making: what is added as text is escaped.
struct HTMLText: Sendable {
  /// What there is so far.
  private(set) var text = ""

  /// Adds markup of ours.
  mutating func markup(_ markup: StaticString) { text += markup.description }

  /// Adds an element with a text, which is escaped; attributes are part of the opening tag.
  mutating func element(_ opening: StaticString, _ content: String, _ closing: StaticString) {
    markup(opening)
    text += Self.escaped(content)
    markup(closing)
  }

  /// `raw` as text between tags or in a quoted attribute; what would steer the writing direction stands as its code.
  static func escaped(_ raw: String) -> String {
    PageText.escaped(raw.onOneLine)
  }
}
