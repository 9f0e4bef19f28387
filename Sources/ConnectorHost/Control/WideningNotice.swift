package import Platform

/// Something that a reload allows and the file before did not, until a person has seen it.
package struct WideningNotice: Sendable, Hashable {
  /// Counts up over restarts.
  package var number: Int64
  /// When it was reloaded.
  package var at: WallTime
  /// What, before and after, in words; no secrets.
  package var text: String
  /// A notice.
  package init(number: Int64, at: WallTime, text: String) {
    self.number = number
    self.at = at
    self.text = text
  }
}
