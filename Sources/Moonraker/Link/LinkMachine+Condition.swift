import ConnectorKit

/// What the link says of itself.
extension LinkMachine {
  /// One line for `status`; no secrets.
  package var condition: String {
    if phase == .stopped { return "not started" }
    guard isLinkUp else {
      guard !problem.isEmpty else { return "connecting" }
      return remedy.isEmpty ? "away: \(problem)" : "away: \(problem); \(remedy)"
    }
    var text =
      switch shownKlippy {
      case .disconnected: "connected; Klippy is away"
      case .startup: "connected; Klippy is starting"
      case .ready: "connected; Klippy is ready"
      case .error: "connected; Klippy could not start"
      case .shutdown: "connected; Klippy has shut down"
      }
    if isNameTaken {
      text +=
        "; the agent name \(agentName) is taken by another client, so we are \(identifiedName), and macros do not reach us"
    } else if !takenMethods.isEmpty {
      let names = takenMethods.sorted().joined(separator: ", ")
      text += "; macros do not reach us, since another client has \(names)"
    }
    return text
  }
}
