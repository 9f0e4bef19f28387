/// Why an exchange with another host failed.
package struct NetworkError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure, for decisions and for logging once per kind.
  package enum Kind: String, Sendable {
    /// The URL cannot be used.
    case badURL
    /// The host's name has no address.
    case nameLookup
    /// No connection: refused, unreachable, reset before an answer.
    case connect
    /// The certificate is not trusted.
    case tls
    /// The certificate is not valid *yet*: this host's clock may be in the past. Worth a retry.
    case certificateNotYetValid
    /// Too slow.
    case timeout
    /// The answer was larger than allowed.
    case tooLarge
    /// The address is none that this request may go to.
    case forbiddenAddress
    /// A body's file on this host cannot be read or written: the disk is full, or the file was changed.
    case disk
    /// The other side broke off or broke the protocol.
    case protocolViolation
    /// The connection was closed by the other side.
    case closed
    /// The task was cancelled.
    case cancelled
    /// Anything else.
    case other
  }
  /// The kind.
  package var kind: Kind
  /// What happened, with the host and without secrets, queries or paths.
  package var message: String
  /// The status of an answer that refused a WebSocket's handshake; nil for every other failure.
  package var httpStatus: Int?
  /// The `Retry-After` field of that answer, as it came; see ``RetryAfter``.
  package var retryAfter: String?
  /// The code of the close frame with which the other side ended a WebSocket, 1005 for one without a code; nil where it
  /// just went, and for every other failure.
  package var closeCode: Int?
  /// Whether the request was under way when this happened, so that the other side may have acted on it.
  package var requestMayHaveArrived: Bool

  /// A failure.
  package init(
    _ kind: Kind, _ message: String, httpStatus: Int? = nil, retryAfter: String? = nil,
    closeCode: Int? = nil, requestMayHaveArrived: Bool = false
  ) {
    self.kind = kind
    self.message = message
    self.httpStatus = httpStatus
    self.retryAfter = retryAfter
    self.closeCode = closeCode
    self.requestMayHaveArrived = requestMayHaveArrived
  }
  /// The message.
  package var description: String { message }

  /// What a caller gets whose task was cancelled, or whose network was shut down.
  static let cancelled = NetworkError(.cancelled, "cancelled")

  /// What a caller gets whose request may not go where it wants to.
  static func forbidden(_ target: URLParts) -> NetworkError {
    NetworkError(
      .forbiddenAddress, "\(target.hostAndPort): this is no public address; it is not contacted")
  }
}
