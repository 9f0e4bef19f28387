/// Why a backend (or one of its calls) failed, and what the host should do about it.
package struct BackendFailure: Error, Sendable, CustomStringConvertible {
  /// What to do.
  package enum Action: Sendable, Hashable {
    /// Try again: after this time, or by the supervisor's own back-off where nil.
    case retry(after: Duration?)
    /// Stop until a person acts (a new token, a changed configuration).
    case park
    /// This one item cannot succeed; go on with the next.
    case reject
  }
  /// What to do.
  package var action: Action
  /// What failed, where.
  package var problem: String
  /// What the owner can do.
  package var remedy: String

  /// A failure.
  package init(_ action: Action, _ problem: String, remedy: String = "") {
    self.action = action
    self.problem = problem
    self.remedy = remedy
  }
  /// One line: problem and remedy.
  package var description: String { remedy.isEmpty ? problem : "\(problem); \(remedy)" }
}
