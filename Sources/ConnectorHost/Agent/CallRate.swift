internal import Platform

/// At most so many calls within a minute. Pure.
struct CallRate: Sendable {
  private static let span = Duration.seconds(60)
  private let limit: Int
  private var recent: [MonotonicInstant] = []

  /// - Parameter limit: calls a minute.
  init(_ limit: Int) { self.limit = limit }

  /// Takes a call.
  ///
  /// - Returns: false where it is one too many.
  mutating func take(at now: MonotonicInstant) -> Bool {
    recent.removeAll { $0.duration(to: now) >= Self.span }
    guard recent.count < limit else { return false }
    recent.append(now)
    return true
  }
}
