internal import Platform

/// Something that a far side is owed, for people: not what it says.
struct OwedSummary: Sendable, Hashable {
  /// What it is, in the connector's words: `completion`.
  var kind: String
  /// Since when.
  var since: WallTime
  /// How often it was tried.
  var attempts: Int
}
