internal import ConnectorKit

/// How a backend's make or run came to its end.
package enum BackendEnd: Sendable, Hashable {
  /// It is to be started again: after this time, or by the back-off where nil.
  case retry(after: Duration?, problem: String)
  /// A person has to act first.
  case park(problem: String, remedy: String)

  /// The longest text that is taken over from an error, in characters.
  private static let textLimit = 300

  /// What `error` means for the backend; nil is a `run()` that returned although nobody cancelled it.
  package init(_ error: (any Error)?) {
    guard let error else {
      self = .retry(after: nil, problem: "it ended without a reason")
      return
    }
    if error is CancellationError {
      self = .retry(after: nil, problem: "it gave up although nobody cancelled it")
      return
    }
    guard let failure = error as? BackendFailure else {
      // Certificates that are not yet valid come here too: a host without a clock battery boots in the past.
      self = .retry(after: nil, problem: Self.oneLine("\(error)"))
      return
    }
    switch failure.action {
    case .park:
      self = .park(problem: Self.oneLine(failure.problem), remedy: Self.oneLine(failure.remedy))
    case .retry(let after):
      self = .retry(after: after, problem: Self.oneLine(failure.description))
    case .reject:
      // It speaks of one item; whoever lets it out of run() starts again.
      self = .retry(after: nil, problem: Self.oneLine(failure.description))
    }
  }

  /// `text` on one line and of bounded length: it goes into the log and onto the status page.
  private static func oneLine(_ text: String) -> String {
    let flat = text.prefix(textLimit).map { $0.isNewline ? " " : $0 }
    return String(flat) + (text.count > textLimit ? "…" : "")
  }
}
