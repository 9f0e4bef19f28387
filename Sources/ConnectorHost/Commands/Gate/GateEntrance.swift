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

  /// The rules in force; a reload may set others, which count from the next command on.
  var policy: CommandPolicy {
    get { rules.withLock { $0 } }
    set { rules.withLock { $0 = newValue } }
  }

  func contact() -> CommandContact { gate.contact(of: backend) }

  func submit(
    _ request: CommandRequest, in contact: CommandContact, work: CommandWork?,
    owing: @escaping @Sendable (CommandOutcome) -> OwedItem?
  ) async -> CommandOutcome {
    await gate.submit(
      request, of: backend, policy: policy, in: contact, work: work, owing: owing)
  }
}
