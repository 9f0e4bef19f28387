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

  /// The next message as ``receive()`` gives it, and of which kind it is.
  ///
  /// - Throws: as ``receive()``.
  func receiveMessage() async throws(NetworkError) -> ReceivedMessage

  /// Sends a ping where the connection has such a thing and waits for its answer; returns at once where it has none.
  ///
  /// - Throws: `NetworkError`, `.timeout` when no answer comes in time.
  func ping(timeout: Duration) async throws(NetworkError)

  /// Closes the connection (with a close frame where there is one); idempotent.
  func close()

  /// Closes the connection with these text messages at its end, as far as they leave at once; idempotent.
  ///
  /// It does not wait, so it also works in a task that has been cancelled.
  func close(saying lastWords: [[UInt8]])
}

extension MessageConnection {
  /// The next message, as text: what a connection knows that has one kind only.
  package func receiveMessage() async throws(NetworkError) -> ReceivedMessage {
    ReceivedMessage(try await receive())
  }

  /// Closes the connection without a word.
  package func close(saying lastWords: [[UInt8]]) { close() }
}

/// A message that came.
package struct ReceivedMessage: Sendable, Hashable {
  /// What it holds.
  package var bytes: [UInt8]
  /// Whether it is text (UTF-8, checked); false for a binary message of a WebSocket.
  package var isText: Bool

  /// A message.
  package init(_ bytes: [UInt8], isText: Bool = true) {
    self.bytes = bytes
    self.isText = isText
  }
}
