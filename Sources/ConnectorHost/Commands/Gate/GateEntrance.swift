internal import ConnectorKit
internal import Platform

/// The gate as one backend sees it.
final class GateEntrance: CommandGateway {
  /// The backend's name.
  let backend: String
  private let rules: Guarded<CommandPolicy>
  private let gate: CommandGate

  init(backend: String, policy: CommandPolicy, gate: CommandGate) {
    self.backend = backend
    self.gate = gate
    rules = Guarded(policy)
  }

  /// The rules in force; a reload may set others, which count for all that has not been sent.
  var policy: CommandPolicy {
    get { rules.withLock { $0 } }
    set { rules.withLock { $0 = newValue } }
  }

  func contact(continuing former: CommandContact?) -> CommandContact {
    gate.contact(of: backend, continuing: former, maximumAge: policy.maximumCommandAge)
  }

  func noteRefusal(id: String, wireName: String, _ refusal: CommandFailure) {
    gate.noteRefusal(id: id, wireName: wireName, of: backend, refusal)
  }

  func ownFiles() async -> [BroughtFile]? {
    await gate.journal.ownFiles(of: backend)?.map { file in
      BroughtFile(
        path: file.path, size: file.size, sha256: file.sha256, broughtAt: file.at,
        modified: file.modified)
    }
  }

  func isUnchanged(_ path: GCodePath) async -> Bool {
    await gate.isUnchanged(path, of: backend)
  }

  func submit(
    _ request: CommandRequest, in contact: CommandContact, work: CommandWork?,
    owing: @escaping @Sendable (CommandOutcome) -> OwedItem?
  ) async -> CommandOutcome {
    await gate.submit(
      request, of: backend, rules: rules, in: contact, work: work, owing: owing)
  }
}
