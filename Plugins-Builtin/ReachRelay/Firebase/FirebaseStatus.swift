internal import JSON

/// What the database is told with each report to the relay. Pure.
enum FirebaseStatus {
  /// The body for a report; nil while the printer's state is unknown, which the database has no word for.
  static func body(_ report: JSONObject) -> JSONObject? {
    guard let time = report["timestamp"], let job = report["job"],
      let state = job["state"]?.string, state != JobState.unknown.rawValue
    else { return nil }
    return [
      "lastHeartbeat": time, "state": .string(state),
      "temperatureSensors": report["temperatures"] ?? nil, "currentJob": job,
      "systemHealth": report["systemHealth"] ?? nil,
    ]
  }
}
