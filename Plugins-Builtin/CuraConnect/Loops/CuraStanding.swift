internal import ConnectorKit
internal import Platform

/// How the connector stands, put together from its loops.
final class CuraStanding: Sendable {
  private struct State: Sendable, Hashable {
    var isListening = false
    var trouble: [String: Trouble] = [:]
  }
  private struct Trouble: Sendable, Hashable {
    var problem: String
    var remedy: String
  }
  private let state = Guarded(State())
  private let context: BackendContext

  /// Nothing listens yet.
  init(_ context: BackendContext) { self.context = context }

  /// Cura can call.
  func listens() { tell { $0.isListening = true } }

  /// Something of `part` does not work.
  func suffers(_ part: String, _ problem: String, remedy: String) {
    tell { $0.trouble[part] = Trouble(problem: problem, remedy: remedy) }
  }

  /// `part` works.
  func recovers(_ part: String) { tell { $0.trouble[part] = nil } }

  private func tell(_ change: (inout State) -> Void) {
    let state = state.withLock { state -> State? in
      let former = state
      change(&state)
      return state == former ? nil : state
    }
    guard let state, state.isListening else { return }
    if let trouble = state.trouble.min(by: { $0.key < $1.key })?.value {
      context.report(.degraded(problem: trouble.problem, remedy: trouble.remedy))
    } else {
      context.report(.online)
    }
  }
}
