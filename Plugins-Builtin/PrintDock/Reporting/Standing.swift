internal import ConnectorKit
internal import Platform

/// How we stand with PrintDock, over all calls: what is logged, shown, and whether we are let in.
///
/// Safe from any task; each state is logged once, when it begins and when it ends.
final class Standing: Sendable {
  /// What we do at PrintDock.
  enum Call: String, Sendable, CaseIterable {
    case pairing, heartbeat, commands, completion, snapshot, webcam
  }

  fileprivate struct State {
    var problems: [Call: CloudError] = [:]
    var reported: BackendHealth?
    /// While our credentials are refused: nothing is sent before this moment, and then one heartbeat.
    var probe: MonotonicInstant?
  }
  private let state = Guarded(State())
  private let log: Log
  private let report: @Sendable (BackendHealth) -> Void

  init(log: Log, report: @escaping @Sendable (BackendHealth) -> Void) {
    self.log = log
    self.report = report
  }

  /// When to knock again, while our credentials are refused; nil while they are not.
  var probe: MonotonicInstant? { state.withLock { $0.probe } }

  /// A call has ended.
  ///
  /// - Parameters:
  ///   - error: why it failed; nil when it did not.
  ///   - probe: when to knock again, should this be a refusal.
  func ended(_ call: Call, error: CloudError?, probe: MonotonicInstant) {
    let lines = state.withLock { state -> [(LogLevel, String)] in
      var lines: [(LogLevel, String)] = []
      let before = state.problems
      state.problems[call] = error
      if let error {
        if error.isRefusal(of: call) { state.probe = probe }
        if !before.values.contains(where: { $0.topic == error.topic }) {
          let level: LogLevel = error.isRefusal(of: call) ? .error : .warning
          lines.append((level, "\(call.rawValue): \(error.problem); \(error.remedy)"))
        }
      } else {
        if call == .heartbeat {
          // The heartbeat is the probe: whoever takes it knows us again.
          state.probe = nil
          for call in Call.allCases where state.problems[call]?.isRefusal(of: call) == true {
            state.problems[call] = nil
          }
        }
        if !before.isEmpty && state.problems.isEmpty { lines.append((.info, "PrintDock is back")) }
      }
      tell(state.health, &state)
      return lines
    }
    for (level, text) in lines { log(level, text) }
  }

  /// Reports `health` when it is news. Under the lock, so that two loops cannot swap their reports.
  private func tell(_ health: BackendHealth, _ state: inout State) {
    guard health != state.reported else { return }
    state.reported = health
    report(health)
  }

  /// Pairing has succeeded: what hindered it is over.
  func paired() { state.withLock { $0.problems[.pairing] = nil } }

  /// Something of ours is wrong, beside PrintDock.
  func degraded(_ problem: String, remedy: String) {
    let health = BackendHealth.degraded(problem: problem, remedy: remedy)
    let isNews = state.withLock { state in
      defer { tell(health, &state) }
      return health != state.reported
    }
    if isNews { log(.error, "\(problem); \(remedy)") }
  }
}

extension Standing.State {
  /// The worst of all problems; online when there is none.
  fileprivate var health: BackendHealth {
    let errors = Standing.Call.allCases.compactMap { problems[$0] }
    guard let worst = errors.first(where: { $0.kind == .unauthorized }) ?? errors.first else {
      return .online
    }
    return .degraded(problem: worst.problem, remedy: worst.remedy)
  }
}

extension CloudError {
  /// Whether this says that PrintDock does not know us (any more).
  func isRefusal(of call: Standing.Call) -> Bool {
    switch call {
    case .pairing: false
    case .heartbeat, .commands, .webcam: kind == .unauthorized || kind == .unknown
    case .completion, .snapshot: kind == .unauthorized
    }
  }
}
