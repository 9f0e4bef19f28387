package import ConnectorKit

extension ReachRelayBackend {
  /// Makes an entry of `.env` or the state file of Reach's own agent.
  package static func importing(_ text: [UInt8]) throws(ImportFailure) -> ImportedEntry? {
    try importing(text, with: nil)
  }

  /// Makes an entry of `.env` and the state file of Reach's own agent, whichever of the two is the companion.
  ///
  /// - Returns: nil where `text` is neither.
  /// - Throws: `ImportFailure` where they hold no token with its printer, or no relay that can be used.
  package static func importing(
    _ text: [UInt8], with companion: [UInt8]?
  ) throws(ImportFailure) -> ImportedEntry? {
    var environment = OriginalEnvironment(text)
    var state = OriginalState(text)
    guard environment != nil || state != nil else { return nil }
    if let companion {
      environment = environment ?? OriginalEnvironment(companion)
      state = state ?? OriginalState(companion)
    }
    return try OriginalAgent(environment: environment, state: state).entry()
  }

  /// The state file that a `.env` names, or the `.env` that lies beside a state file.
  package static func companion(of text: [UInt8]) -> String? {
    if OriginalState(text) != nil { return ".env" }
    guard let environment = OriginalEnvironment(text) else { return nil }
    return environment["REACH_LINK_STATE_FILE"] ?? ".reach-link-state.json"
  }
}
