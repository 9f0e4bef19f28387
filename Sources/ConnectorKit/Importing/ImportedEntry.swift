package import JSON

/// An entry made from the configuration of a service's own agent, so that nobody has to pair again.
package struct ImportedEntry: Sendable {
  /// The entry's own keys in order, dots for nesting, without `type`, `name` and `enabled`; strings, numbers and truth values. No secrets.
  package var settings: [(key: String, value: JSONValue)]
  /// What goes to the entry's identity store: ids and secrets.
  package var identity: JSONObject
  /// Secrets that are settings of the entry, by key: each goes to a file of its own, which `<key>_file` then names.
  package var secrets: [(key: String, secret: Secret)] = []
  /// Settings of the agent that are the host's here: `control.health_listen`; text, numbers and truth values. No secrets.
  package var hostSettings: [(key: String, value: JSONValue)] = []
  /// The Moonraker that the agent was connected to, where it says so.
  package var moonraker: String?
  /// What the owner should know, a line each: values that are not taken over.
  package var notes: [String]
  /// The agent's own program, by the name of its file.
  package var program: String
  /// How to end that program for good.
  package var stopAdvice: String

  /// An entry.
  package init(
    settings: [(key: String, value: JSONValue)], identity: JSONObject, moonraker: String? = nil,
    notes: [String] = [], program: String, stopAdvice: String
  ) {
    self.settings = settings
    self.identity = identity
    self.moonraker = moonraker
    self.notes = notes
    self.program = program
    self.stopAdvice = stopAdvice
  }
}

/// Why a file of a service's own agent cannot be imported.
package struct ImportFailure: Error, Sendable, Hashable {
  /// What is wrong; no secret.
  package var problem: String
  /// What to do.
  package var remedy: String
  /// A failure.
  package init(_ problem: String, remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }
}
