internal import ConnectorKit

// What people see.

extension RelaySession {
  mutating func note(_ answer: RelayAnswer, _ call: RelayCall, _ actions: inout [Action]) {
    guard let problem = answer.problem(host: rules.host) else { return }
    let name = call.endpoint.rawValue
    if let count = occurrences.note("\(name) \(answer.kind)") {
      actions.append(.log(.warning, "\(name): \(problem)\(Self.times(count)); \(answer.remedy)"))
    }
    // One failure that the next attempt mends is no state worth showing.
    let isPassing =
      switch answer {
      case .failed, .unreachable: lane(call.endpoint).failures == 1
      default: false
      }
    if !isPassing {
      change(call.endpoint) { $0.problem = .degraded(problem: problem, remedy: answer.remedy) }
    }
  }

  mutating func reportHealth(_ actions: inout [Action]) {
    let problem = RelayEndpoint.allCases.compactMap { lane($0).problem }.first
    guard let new = problem ?? (isKnown ? .online : nil), new != health else { return }
    health = new
    actions.append(.report(new))
  }

  static func times(_ count: UInt64) -> String { count > 1 ? " (\(count) times)" : "" }
}
