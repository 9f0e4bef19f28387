package import ConnectorKit
package import JSON

/// What to subscribe and what to read once, for an interest and the objects that the printer has.
package struct SubscriptionPlan: Sendable, Hashable {
  /// The `objects` of `printer.objects.subscribe`.
  package var subscribed: JSONObject
  /// The `objects` of the one `printer.objects.query`; empty where nothing is read once.
  package var queried: JSONObject
  /// The fields that are read once, by object.
  package var once: [String: Set<String>]

  /// What the cache itself lives on: Klippy's words, and the job.
  static let always = StatusInterest([
    "webhooks": .named(["state", "state_message"]),
    "print_stats": .named(["state", "filename", "message"]),
  ])

  /// Fields that change with every look at them: one such field alone makes an idle printer send four updates a
  /// second. They are never subscribed.
  static let restless: [String: Set<String>] = ["toolhead": ["estimated_print_time"]]

  /// The fields that stand for "all" where an object has restless ones.
  static let restful: [String: Set<String>] = [
    "toolhead": [
      "homed_axes", "position", "axis_minimum", "axis_maximum", "max_velocity", "max_accel",
      "minimum_cruise_ratio", "square_corner_velocity", "print_time", "stalls", "extruder",
    ]
  ]

  /// A plan; names ending in ` *` are expanded, objects that the printer lacks are left out.
  package init(_ interest: StatusInterest, available: [String]) {
    var union = interest
    union.formUnion(Self.always)
    let existing = Set(available)

    var fields: [String: StatusInterest.Fields] = [:]
    for (pattern, wanted) in union.objects {
      for name in Self.names(matching: pattern, among: existing) {
        var one = StatusInterest([name: fields[name] ?? .named([])])
        one.formUnion(StatusInterest([name: wanted]))
        fields[name] = one.objects[name]
      }
    }
    once = [:]
    for (pattern, wanted) in union.once {
      for name in Self.names(matching: pattern, among: existing) {
        once[name, default: []].formUnion(wanted)
      }
    }

    // Sorted, so that equal interests make equal requests.
    subscribed = JSONObject()
    for (name, wanted) in fields.sorted(by: { $0.key < $1.key }) {
      switch wanted {
      case .all:
        subscribed[name] = Self.restful[name].map(Self.list) ?? .null
      case .named(let names):
        subscribed[name] = Self.list(names.subtracting(Self.restless[name] ?? []))
      }
    }
    queried = JSONObject()
    for (name, names) in once.sorted(by: { $0.key < $1.key }) { queried[name] = Self.list(names) }
  }

  private static func names(matching pattern: String, among existing: Set<String>) -> [String] {
    guard pattern.hasSuffix(" *") else { return existing.contains(pattern) ? [pattern] : [] }
    let prefix = pattern.dropLast()
    return existing.filter { $0.hasPrefix(prefix) }
  }

  private static func list(_ names: Set<String>) -> JSONValue {
    .array(names.sorted().map(JSONValue.string))
  }
}
