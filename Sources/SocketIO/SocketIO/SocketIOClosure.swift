package import Networking

/// Why a connection has ended, or never came about.
package struct SocketIOClosure: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of ends.
  package enum Reason: Sendable, Hashable {
    /// No connection, or it broke.
    case network(NetworkError.Kind)
    /// The server answered the opening of the WebSocket with this HTTP status.
    case refused(status: Int)
    /// The server answered the connect packet with an error.
    case connectError
    /// The server did not finish the handshake in time.
    case handshakeTimeout
    /// The server ended the session in an orderly way.
    case endedByServer
    /// The server was silent for longer than it promised.
    case silent
    /// The server broke the protocol in a way that one cannot go on from.
    case protocolViolation
    /// More events came than were taken.
    case overflow
    /// This side has ended it.
    case closedHere
  }
  /// Which kind.
  package var reason: Reason
  /// What happened, on one line, without secrets.
  package var problem: String
  /// What the server said in `Retry-After`, as it came; see ``RetryAfter``.
  package var retryAfter: String?

  /// An end.
  package init(_ reason: Reason, _ problem: String, retryAfter: String? = nil) {
    self.reason = reason
    self.problem = problem
    self.retryAfter = retryAfter
  }

  /// What an error of the network means here.
  package init(_ error: NetworkError) {
    let reason: Reason =
      if let status = error.httpStatus {
        .refused(status: status)
      } else if error.closeCode != nil {
        .endedByServer
      } else {
        .network(error.kind)
      }
    self.init(reason, error.message, retryAfter: error.retryAfter)
  }

  /// What happened.
  package var description: String { problem }
}

/// Why something could not be done on a connection.
package enum SocketIOFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// The connection has ended.
  case closed(SocketIOClosure)
  /// What was to be sent is larger than the server takes.
  case tooLarge(bytes: Int, limit: Int)
  /// No acknowledgement came in time.
  case unacknowledged
  /// The task was cancelled.
  case cancelled

  /// What happened.
  package var description: String {
    switch self {
    case .closed(let closure): closure.problem
    case .tooLarge(let bytes, let limit):
      "a packet of \(bytes) bytes is larger than the server takes (\(limit) bytes)"
    case .unacknowledged: "the server did not acknowledge in time"
    case .cancelled: "cancelled"
    }
  }
}
