/// A secret: it never shows itself in text, dumps or mirrors.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The secret itself, for the one place that sends or stores it.
  package let revealed: String

  /// Wraps `revealed`.
  package init(_ revealed: String) { self.revealed = revealed }

  /// Always `<secret>`.
  package var description: String { "<secret>" }
  /// Always `<secret>`.
  package var debugDescription: String { "<secret>" }
  /// A mirror without children.
  package var customMirror: Mirror { Mirror(self, children: []) }
}
