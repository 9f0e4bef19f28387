import JSON
import Moonraker
import Platform

/// A Moonraker on paper: answers each method as the test says, and -32601 to all others.
final class ScriptedCaller: MoonrakerCaller {
  struct Call: Sendable, Equatable {
    var method: String
    var params: JSONObject?
    var timeout: Duration?
  }
  private let state: Guarded<(answers: [String: Result<JSONValue, RPCFailure>], calls: [Call])>

  init(_ answers: [String: Result<JSONValue, RPCFailure>] = [:]) { state = Guarded((answers, [])) }

  var calls: [Call] { state.withLock { $0.calls } }

  func answer(_ method: String, _ answer: Result<JSONValue, RPCFailure>) {
    state.withLock { $0.answers[method] = answer }
  }

  func call(
    _ method: String, _ params: JSONObject?, timeout: Duration?
  ) async throws(RPCFailure) -> JSONValue {
    let answer = state.withLock { state in
      state.calls.append(Call(method: method, params: params, timeout: timeout))
      return state.answers[method]
    }
    return try (answer ?? .failure(.refused(code: -32601, message: "Method not found"))).get()
  }
}
