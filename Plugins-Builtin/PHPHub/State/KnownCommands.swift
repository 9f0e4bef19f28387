internal import JSON

/// The keys of commands that must not be executed again: of the last thousand that came, so that those which a hub hands
/// out for ever stay known for ever.
struct KnownCommands: Sendable, Hashable {
  /// So many are remembered.
  static let limit = 1_000
  /// So many more are let in before the oldest go, all at once.
  private static let slack = 200

  /// Each with the number of its last coming.
  private var numbers: [String: UInt64] = [:]
  private var next: UInt64 = 0

  /// None yet.
  init() {}

  /// What a former run knew, oldest first.
  init(stored: JSONValue?) {
    for key in (stored?.array ?? []).suffix(Self.limit).compactMap(\.string) { note(key) }
  }

  /// As it lies on the disk: oldest first.
  var stored: JSONValue { .array(inOrder.suffix(Self.limit).map { .string($0) }) }

  /// Whether a key that has come is known; it is among the newest then.
  mutating func recognize(_ key: String) -> Bool {
    guard numbers[key] != nil else { return false }
    note(key)
    return true
  }

  /// Remembers a key.
  mutating func note(_ key: String) {
    numbers[key] = next
    next &+= 1
    guard numbers.count > Self.limit + Self.slack else { return }
    for key in inOrder.dropLast(Self.limit) { numbers[key] = nil }
  }

  private var inOrder: [String] { numbers.sorted { $0.value < $1.value }.map(\.key) }
}
