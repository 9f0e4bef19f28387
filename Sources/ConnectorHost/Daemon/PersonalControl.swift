internal import ConnectorKit
internal import Platform

/// What a person may change, carried to the gate and to what remembers the reloads.
struct PersonalControl: ControlActions {
  private let services: CommandServices
  private let widenings: UnseenWidenings
  private let switchboard: BackendSwitchboard
  private let time: any TimeSource

  /// - Parameters:
  ///   - services: with the gate and the audit.
  ///   - widenings: what reloads have allowed.
  ///   - switchboard: for single backends.
  ///   - time: for how long the disk may take.
  init(
    services: CommandServices, widenings: UnseenWidenings, switchboard: BackendSwitchboard,
    time: any TimeSource
  ) {
    self.switchboard = switchboard
    self.services = services
    self.widenings = widenings
    self.time = time
  }

  private var gate: CommandGate { services.gate }

  func bedCleared(by person: String) async -> ControlResult {
    do throws(CommandFailure) {
      try await gate.clearBed(by: person, isRemote: false)
      return .done("The bed counts as clear.")
    } catch {
      return Self.result(error)
    }
  }

  func setReadOnly(_ isOn: Bool, by person: String) async -> ControlResult {
    do throws(CommandFailure) {
      try await gate.setReadOnly(isOn, by: person)
      return .done(
        isOn
          ? "Read-only is on: no cloud does anything but look and stop in an emergency."
          : "Read-only is off: the clouds may do what their permissions allow.")
    } catch {
      return Self.result(error)
    }
  }

  func wideningsSeen(through number: Int64, by person: String) async -> ControlResult {
    guard widenings.seen(through: number) else {
      return .done("Nothing is left that nobody has seen.")
    }
    services.note("\(person) has seen what was widened", as: "widenings_seen")
    guard await widenings.save(time) else {
      return .failed("It is no longer shown until the next start: the disk did not take it.")
    }
    return .done("It is no longer shown; the audit keeps it.")
  }

  func setEnabled(_ isOn: Bool, _ name: String, by person: String) async -> ControlResult {
    await switchboard.setEnabled(isOn, name, by: person)
  }

  func reload(only file: String?, by person: String) async -> ControlResult {
    await switchboard.reload(only: file, by: person)
  }

  func pair(_ name: String, code: Secret, by person: String) async -> ControlResult {
    await switchboard.pair(name, code: code, by: person)
  }

  func unpair(_ name: String, by person: String) async -> ControlResult {
    await switchboard.unpair(name, by: person)
  }

  private static func result(_ failure: CommandFailure) -> ControlResult {
    failure.reason == .journal ? .failed(failure.message) : .refused(failure.message)
  }
}

extension CommandsView {
  /// The gate at this moment.
  init(_ gate: GateView, audit: AuditLog.Standing, owed: [String: OutboxState]) {
    self.init(
      recent: gate.recent, outcomes: gate.outcomes,
      bed: Bed(isClear: gate.bed.isClear, by: gate.bed.by, since: gate.bed.since),
      readOnly: ReadOnly(
        isOn: gate.readOnly.isOn, by: gate.readOnly.since == nil ? nil : gate.readOnly.by,
        since: gate.readOnly.since),
      busy: gate.busy.map { Busy(backend: $0.backend, action: $0.wireName) },
      journalProblem: gate.journalProblem, auditProblem: audit.problem, auditLost: audit.lost,
      owed: owed.mapValues {
        Owed(count: $0.owed, dropped: UInt64(clamping: $0.dropped), problem: $0.problem)
      })
  }
}
