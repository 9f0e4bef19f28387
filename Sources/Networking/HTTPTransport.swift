/// What sends HTTP requests: the network in what ships, a script in unit tests.
package protocol HTTPTransport: Sendable {
  /// Sends `request` and waits for the whole answer; any status is an answer, 3xx included (redirects are not followed).
  ///
  /// Nothing is repeated behind the caller's back. Cancelling the task closes the transfer.
  ///
  /// - Throws: `NetworkError`; `.cancelled` when the task was cancelled.
  func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse
}
