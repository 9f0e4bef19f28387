/// A two-way connection of whole messages: a WebSocket, or a Unix socket with delimited messages.
///
/// One task receives; any number may send. Both ends of life are explicit: `close()`, or the error
/// that `receive()` throws.
package protocol MessageConnection: Sendable {
  /// Queues a text message; returns when it has been handed to the kernel.
  ///
  /// - Throws: `NetworkError` (`.closed` when the connection has ended).
  func send(_ message: [UInt8]) async throws(NetworkError)

  /// The next message, in order. Pings of the other side are answered meanwhile.
  ///
  /// - Throws: `NetworkError`: `.closed` with the close code in its message, `.tooLarge`, `.protocolViolation`
  ///   (bad framing, text that is not UTF-8), `.cancelled`.
  func receive() async throws(NetworkError) -> [UInt8]

  /// Sends a ping where the connection has such a thing and waits for its answer; returns at once where it has none.
  ///
  /// - Throws: `NetworkError`, `.timeout` when no answer comes in time.
  func ping(timeout: Duration) async throws(NetworkError)

  /// Closes the connection (with a close frame where there is one); idempotent.
  func close()
}
