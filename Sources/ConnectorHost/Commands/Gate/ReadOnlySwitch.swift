internal import JSON
internal import Platform

/// One switch for all clouds: nothing but reports and emergency stop until a person lifts it.
struct ReadOnlySwitch: Sendable, Hashable {
  /// Whether it is on.
  var isOn: Bool
  /// Since when; nil: never touched.
  var since: WallTime?
  /// Who turned it.
  var by: String

  /// A switch that was never touched.
  static let off = ReadOnlySwitch(isOn: false, since: nil, by: "")

  /// A switch.
  init(isOn: Bool, since: WallTime?, by: String) {
    self.isOn = isOn
    self.since = since
    self.by = by
  }

  /// The switch as it was stored. What is there and cannot be read counts as on: a person wanted something of it.
  init(_ stored: JSONValue?) {
    guard let stored else {
      self = .off
      return
    }
    self.init(
      isOn: stored["on"]?.bool ?? true,
      since: stored["since_ms"]?.integer.map { WallTime(millisecondsSinceEpoch: $0) },
      by: stored["by"]?.string ?? "")
  }

  /// What is stored.
  var stored: JSONValue {
    [
      "on": .bool(isOn), "by": .string(by),
      "since_ms": .integer(since?.millisecondsSinceEpoch ?? 0),
    ]
  }
}
