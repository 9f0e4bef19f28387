internal import JSON
internal import Platform

/// What is known of the print bed: `clear` only by a person's word; what is not known counts as occupied.
struct Bed: Sendable, Hashable {
  /// Whether something may lie on it.
  enum State: String, Sendable, CaseIterable { case clear, occupied }

  /// How it stands.
  private(set) var state: State
  /// Since when; nil: not known.
  private(set) var since: WallTime?
  /// Who or what said so: `page`, `bed-cleared`, a job's end.
  private(set) var by: String

  /// A bed of which nothing is known.
  static let unknown = Bed(state: .occupied, since: nil, by: "not known")

  /// Whether what starts by itself may start.
  var isClear: Bool { state == .clear }

  /// A bed in this state.
  init(state: State, since: WallTime?, by: String) {
    self.state = state
    self.since = since
    self.by = by
  }

  /// The bed as it was stored; anything odd is an unknown bed.
  init(_ stored: JSONValue?) {
    guard let text = stored?["state"]?.string, let state = State(rawValue: text),
      let by = stored?["by"]?.string, let since = stored?["since_ms"]?.integer
    else {
      self = .unknown
      return
    }
    self.init(state: state, since: WallTime(millisecondsSinceEpoch: since), by: by)
  }

  /// What is stored.
  var stored: JSONValue {
    [
      "state": .string(state.rawValue), "by": .string(by),
      "since_ms": .integer(since?.millisecondsSinceEpoch ?? 0),
    ]
  }

  /// After a job's end, however it ended.
  mutating func occupy(at now: WallTime, by: String) {
    guard state == .clear || since == nil else { return }
    self = Bed(state: .occupied, since: now, by: by)
  }
}
