extension HTTPServer {
  /// What a handler makes of a request.
  package enum Reply: Sendable {
    /// The answer.
    case now(Response)
    /// The answer is made beside the server's thread, which serves others meanwhile. A server that stops does not wait
    /// for it: the visitor gets 503.
    case later(@Sendable () async -> Response)
  }
}
