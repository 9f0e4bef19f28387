/// A user's end of a connection; the other end, on the network thread, is a `ConnectionActivity`.
///
/// When the last reference goes, the connection is closed.
final class Connection: MessageConnection {
  private let thread: NetworkThread
  private let channel: ConnectionChannel
  private let activity: ConnectionActivity
  private let hasPings: Bool
  private let reservedByte: UInt8?

  private init(
    thread: NetworkThread, channel: ConnectionChannel, activity: ConnectionActivity,
    hasPings: Bool, reservedByte: UInt8?
  ) {
    self.thread = thread
    self.channel = channel
    self.activity = activity
    self.hasPings = hasPings
    self.reservedByte = reservedByte
  }

  deinit { close() }

  /// Connects `stream` and waits until `framing` is open.
  ///
  /// - Parameter reservedByte: a byte that messages cannot contain.
  static func open(
    _ stream: any ByteStream, _ framing: any Framing, label: String, timeout: Duration,
    hasPings: Bool, reservedByte: UInt8?, on thread: NetworkThread
  ) async throws(NetworkError) -> Connection {
    let channel = ConnectionChannel(label: label)
    let activity = ConnectionActivity(
      stream: stream, framing: framing, channel: channel, label: label, timeout: timeout)
    let mailbox = thread.mailbox
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        channel.expectOpening(waiter)
        if !mailbox.post(.begin(activity)) { activity.end(with: .cancelled, on: nil) }
      }
    } onCancel: {
      activity.abandon()
      mailbox.post(.end(activity, .cancelled))
    }
    try result.get()
    return Connection(
      thread: thread, channel: channel, activity: activity, hasPings: hasPings,
      reservedByte: reservedByte)
  }

  func send(_ message: [UInt8]) async throws(NetworkError) {
    if let reservedByte, message.contains(reservedByte) {
      throw NetworkError(.other, "the message contains the byte that ends messages")
    }
    let id = channel.makeID()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        if channel.send(id, message, waiter) { look() }
      }
    } onCancel: {
      channel.cancelSend(id)
    }
    try result.get()
  }

  func receive() async throws(NetworkError) -> [UInt8] { try await receiveMessage().bytes }

  func receiveMessage() async throws(NetworkError) -> ReceivedMessage {
    let id = channel.makeID()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        if channel.receive(id, waiter) { look() }
      }
    } onCancel: {
      channel.cancelReceive(id)
    }
    return try result.get()
  }

  func ping(timeout: Duration) async throws(NetworkError) {
    guard hasPings else { return }
    let payload = UInt64.random(in: .min ... .max)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        if channel.ping(payload, until: .now.advanced(by: timeout), waiter) { look() }
      }
    } onCancel: {
      channel.cancelPing(payload)
    }
    try result.get()
  }

  func close() { close(saying: []) }

  func close(saying lastWords: [[UInt8]]) {
    channel.close(saying: lastWords)
    look()
  }

  private func look() { thread.mailbox.post(.look(activity)) }
}
