/// Something that `validate` has to say about a configuration.
package struct Finding: Sendable, Hashable {
  /// How bad it is.
  package enum Severity: String, Sendable, Comparable {
    case note, warning, error
    /// Notes are least.
    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }
  }
  /// How bad it is.
  package var severity: Severity
  /// The key it is about, relative to the backend's entry: `webcam.interval`; empty for the entry as a whole.
  package var key: String
  /// What is wrong.
  package var problem: String
  /// What to do.
  package var remedy: String
  /// A finding about `key`.
  package init(_ severity: Severity, key: String, _ problem: String, remedy: String) {
    self.severity = severity
    self.key = key
    self.problem = problem
    self.remedy = remedy
  }
}
