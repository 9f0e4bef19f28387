extension HTTPServer {
  /// What a handler makes of a request.
  package enum Reply: Sendable {
    /// The answer.
    case now(Response)
    /// The answer is made beside the server's thread, which serves others meanwhile. A server that stops does not wait
    /// for it: the visitor gets 503.
    case later(@Sendable () async -> Response)
    /// The body is read piece by piece beside the server's thread; the answer goes out when all of it is there, or thrown
    /// away. Only where ``Options/streamsBodies``. Cancelled when the server stops.
    case reading(@Sendable (RequestBody) async -> Response)
    /// The head of an answer whose body comes piece by piece, for as long as the closure returns some and the visitor
    /// stays. Cancelled when one of the two ends. The response's own body goes first.
    case streaming(Response, @Sendable () async -> [UInt8]?)
  }
}
