internal import Platform

/// What a backend's far side is owed, for people.
struct OutboxState: Sendable, Hashable {
  /// How many items wait.
  var owed: Int
  /// How many of them are in memory only, since they could not be stored.
  var inMemory: Int
  /// How many were lost since the start of the daemon: too many, too large or too old.
  var dropped: Int
  /// Since when some were lost; nil: none.
  var droppedSince: WallTime?
  /// Why the store does not take or give items now; nil: it does.
  var problem: String?
}
