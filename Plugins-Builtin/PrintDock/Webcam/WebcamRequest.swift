internal import ConnectorKit
internal import JSON
internal import Platform

/// A request for a picture. Pure.
struct WebcamRequest: Sendable, Hashable {
  /// PrintDock's id of it.
  var id: String
  /// PrintDock's number of the printer.
  var printer: Int64

  init(id: String, printer: Int64) {
    self.id = id
    self.printer = printer
  }

  /// Decodes an element; nil where it cannot be answered.
  init?(_ element: JSONSlice) {
    guard let id = ReceivedCommand.identifier(element["id"]),
      let printer = ReceivedCommand.number(element["printer_id"])
    else { return nil }
    self.init(id: id, printer: printer)
  }
}

/// What has become of requests, so that one that fails is tried three times in half a minute and no more. Pure.
struct WebcamMemory: Sendable {
  /// How often a request is tried.
  static let attempts = 3
  /// How long a request is remembered; PrintDock gives up on it after as long.
  static let span = Duration.seconds(30)

  private var failures: [String: (count: Int, since: MonotonicInstant)] = [:]

  /// Whether a request is worth another attempt.
  mutating func allows(_ id: String, at now: MonotonicInstant) -> Bool {
    failures = failures.filter { $0.value.since.duration(to: now) < Self.span }
    return failures[id].map { $0.count < Self.attempts } ?? true
  }

  /// A request could not be answered.
  mutating func failed(_ id: String, at now: MonotonicInstant) {
    failures[id, default: (0, now)].count += 1
  }

  /// A request has been answered.
  mutating func succeeded(_ id: String) { failures[id] = nil }
}
