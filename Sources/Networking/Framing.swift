/// How messages lie in a stream of bytes: bytes in, events out; messages in, bytes out. Does no I/O.
protocol Framing: AnyObject {
  /// Takes bytes that came, whole messages or not.
  func receive(_ bytes: [UInt8]) -> [FramingEvent]

  /// Why a stream that ends now has ended.
  var endOfStream: NetworkError { get }

  /// Queues a message; the framing must be open.
  func queueMessage(_ message: [UInt8])

  /// Queues a ping with that payload.
  func queuePing(_ payload: [UInt8])

  /// Queues whatever says good-bye.
  ///
  /// - Returns: whether the other side is expected to answer before the connection is closed.
  func queueClose() -> Bool

  /// Whether there are bytes to be sent.
  var hasOutput: Bool { get }

  /// Whether so many answers of its own (to pings) wait to be sent that no more bytes should be taken.
  var isCongested: Bool { get }

  /// Appends bytes to be sent to `output`, as long as it has room.
  func produce(into output: inout StagedOutput)
}

/// What a framing found in the bytes that came.
enum FramingEvent {
  /// The other side has agreed; messages may be sent.
  case opened
  case message(ReceivedMessage)
  case pong([UInt8])
  /// No message comes any more. What is queued shall still be sent, then the connection closed.
  case ended(NetworkError)
}
