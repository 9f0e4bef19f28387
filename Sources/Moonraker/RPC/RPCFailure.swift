internal import Platform

/// Why a call to Moonraker brought no result.
package enum RPCFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// Moonraker or Klipper answered with an error.
  case refused(code: Int64, message: String)
  /// No answer in time.
  case timedOut
  /// It never left, because there is no connection; why.
  case notSent(String)
  /// The connection went before the answer came, and the call may have arrived; why.
  case connectionLost(String)
  /// The calling task was cancelled; the call may have arrived.
  case cancelled

  /// Moonraker's words, or ours where it said nothing.
  package var description: String {
    switch self {
    case .refused(let code, let message): "\(message) (\(code))"
    case .timedOut: "no answer in time"
    case .notSent(let reason): "not connected: \(reason)"
    case .connectionLost(let reason): "connection lost: \(reason)"
    case .cancelled: "cancelled"
    }
  }

  /// Whether Moonraker wants (other) credentials.
  package var isUnauthorized: Bool {
    if case .refused(let code, let message) = self {
      return code == 401
        || (code == -32602
          && (message.contains(text: "Unauthorized") || message.contains(text: "API Key")
            || message.contains(text: "JWT") || message.contains(text: "Token")))
    }
    return false
  }

  /// Whether this says that Klippy is away: 503, or -32601 where Moonraker has not met Klippy since its own start.
  package var isKlippyAway: Bool {
    if case .refused(let code, _) = self { return code == 503 || code == -32601 || code == 404 }
    return false
  }

  /// Whether Moonraker has no method of that name; what a method does not find has other words.
  package var isUnknownMethod: Bool {
    if case .refused(-32601, let message) = self { message == "Method not found" } else { false }
  }

  /// Whether what was asked for does not exist: a file, a component, a method.
  package var isMissing: Bool {
    if case .refused(let code, _) = self { return code == -32601 || code == 404 }
    return false
  }
}
