internal import CWslay

/// The client's side of RFC 6455: the handshake, then frames by libwslay. Does no I/O.
@safe final class WebSocketFraming: Framing {
  private let label: String
  private let messageLimit: Int
  private let context: OpaquePointer
  private var handshake: UpgradeHandshake?
  private var hasEnded = false

  private let buffers: FrameBuffers

  /// A framing that begins with `handshake`.
  init(_ handshake: UpgradeHandshake, messageLimit: Int, label: String) throws(NetworkError) {
    self.label = label
    self.messageLimit = messageLimit
    self.handshake = handshake
    buffers = FrameBuffers(label: label)
    buffers.output = handshake.request
    var callbacks = unsafe wslay_event_callbacks(
      recv_callback: takeInput, send_callback: giveOutput, genmask_callback: makeMask,
      on_frame_recv_start_callback: nil, on_frame_recv_chunk_callback: nil,
      on_frame_recv_end_callback: nil, on_msg_recv_callback: takeMessage)
    var context: OpaquePointer?
    // The context borrows the buffers; both go with this object.
    let borrowed = unsafe Unmanaged.passUnretained(buffers).toOpaque()
    guard unsafe wslay_event_context_client_init(&context, &callbacks, borrowed) == 0,
      let context = unsafe context
    else { throw NetworkError(.other, "\(label): libwslay has no memory") }
    unsafe self.context = unsafe context
    unsafe wslay_event_config_set_max_recv_msg_length(context, UInt64(max(0, messageLimit)))
  }

  deinit { unsafe wslay_event_context_free(context) }

  func receive(_ bytes: [UInt8]) -> [FramingEvent] {
    guard !hasEnded else { return [] }
    var events: [FramingEvent] = []
    var frames = bytes
    if handshake != nil {
      do throws(NetworkError) {
        guard let rest = try handshake?.receive(bytes) else { return [] }
        handshake = nil
        events.append(.opened)
        frames = rest
      } catch {
        hasEnded = true
        return [.ended(error)]
      }
    }
    receiveFrames(frames)
    events += buffers.takeEvents()
    if case .ended = events.last { hasEnded = true }
    return events
  }

  private func receiveFrames(_ frames: [UInt8]) {
    buffers.input = frames[...]
    let result = unsafe wslay_event_recv(context)
    buffers.input = []
    if result == Int32(WSLAY_ERR_NOMEM.rawValue) {
      buffers.end(NetworkError(.other, "\(label): libwslay has no memory"))
    } else if result != 0 {
      // Not even a frame: libwslay says good-bye without a code.
      buffers.end(refusal(1002))
    } else if unsafe wslay_event_get_read_enabled(context) == 0, !buffers.hasEnded {
      // libwslay has refused something and queued a close frame, whose code tells what.
      buffers.outputIsUnlimited = true
      unsafe wslay_event_send(context)
      buffers.end(refusal(unsafe Int(wslay_event_get_status_code_sent(context))))
    }
  }

  private func refusal(_ code: Int) -> NetworkError {
    switch code {
    case 1009:
      NetworkError(.tooLarge, "\(label): a message is larger than \(messageLimit) bytes")
    case 1007: NetworkError(.protocolViolation, "\(label): a text message is not UTF-8")
    default: NetworkError(.protocolViolation, "\(label): a WebSocket frame is broken")
    }
  }

  var endOfStream: NetworkError {
    handshake == nil
      ? NetworkError(.closed, "\(label): closed by the other side without a close frame (1006)")
      : NetworkError(.connect, "\(label): closed by the other side during the handshake")
  }

  func queueMessage(_ message: [UInt8]) { queue(WSLAY_TEXT_FRAME, message) }

  func queuePing(_ payload: [UInt8]) { queue(WSLAY_PING, payload) }

  func queueClose() -> Bool {
    guard handshake == nil else { return false }
    if unsafe wslay_event_get_queued_msg_count(context) > 0 {
      // libwslay lets a close frame overtake messages that wait, and then drops them.
      buffers.outputIsUnlimited = true
      unsafe wslay_event_send(context)
      buffers.outputIsUnlimited = false
    }
    return unsafe wslay_event_queue_close(
      context, UInt16(WSLAY_CODE_NORMAL_CLOSURE.rawValue), nil, 0) == 0
  }

  private func queue(_ opcode: wslay_opcode, _ payload: [UInt8]) {
    unsafe payload.withUnsafeBufferPointer { bytes in
      var message = unsafe wslay_event_msg(
        opcode: UInt8(truncatingIfNeeded: opcode.rawValue), msg: bytes.baseAddress,
        msg_length: bytes.count)
      // Refused only after a close frame was queued; the connection is ending then.
      _ = unsafe wslay_event_queue_msg(context, &message)
    }
  }

  var hasOutput: Bool {
    if !buffers.output.isEmpty { return true }
    return unsafe handshake == nil && wslay_event_want_write(context) != 0
  }

  var isCongested: Bool { unsafe wslay_event_get_queued_msg_count(context) > 256 }

  func produce(into staged: inout StagedOutput) {
    while staged.room > 0 {
      if buffers.output.isEmpty {
        guard handshake == nil else { return }
        unsafe wslay_event_send(context)
        if buffers.output.isEmpty { return }
      }
      buffers.moveOutput(to: &staged)
    }
  }
}

/// What libwslay's callbacks read from and write to.
private final class FrameBuffers {
  /// How much libwslay may write ahead of the socket.
  static let outputLimit = 16_384

  private let label: String
  var input: ArraySlice<UInt8> = []
  var output: [UInt8] = []
  var outputIsUnlimited = false
  private(set) var hasEnded = false
  private var sent = 0
  private var events: [FramingEvent] = []

  init(label: String) { self.label = label }

  func takeEvents() -> [FramingEvent] {
    defer { events = [] }
    return events
  }

  func end(_ error: NetworkError) {
    hasEnded = true
    events.append(.ended(error))
  }

  func moveOutput(to staged: inout StagedOutput) {
    sent += unsafe output.withUnsafeBytes {
      unsafe staged.append(UnsafeRawBufferPointer(rebasing: $0[sent...]))
    }
    if sent == output.count {
      output = []
      sent = 0
    }
  }

  func take(into target: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(target.count, input.count)
    unsafe target.copyBytes(from: input.prefix(count))
    input = input.dropFirst(count)
    return count
  }

  func give(_ bytes: UnsafeRawBufferPointer) -> Int {
    let room = outputIsUnlimited ? bytes.count : max(0, Self.outputLimit - output.count)
    let count = min(room, bytes.count)
    unsafe output.append(contentsOf: bytes.prefix(count))
    return count
  }

  func take(_ opcode: UInt8, _ payload: [UInt8], closeCode: UInt16) {
    switch UInt32(opcode) {
    case WSLAY_TEXT_FRAME.rawValue: events.append(.message(ReceivedMessage(payload)))
    case WSLAY_BINARY_FRAME.rawValue:
      events.append(.message(ReceivedMessage(payload, isText: false)))
    case WSLAY_PONG.rawValue: events.append(.pong(payload))
    case WSLAY_CONNECTION_CLOSE.rawValue:
      let code = closeCode == 0 ? 1005 : closeCode
      end(
        NetworkError(
          .closed, "\(label): closed by the other side with code \(code)", closeCode: Int(code)))
    default: break  // a ping, which libwslay answers
    }
  }
}

private func buffers(_ context: UnsafeMutableRawPointer?) -> FrameBuffers? {
  unsafe context.map { unsafe Unmanaged<FrameBuffers>.fromOpaque($0).takeUnretainedValue() }
}

private func takeInput(
  _ context: wslay_event_context_ptr?, _ target: UnsafeMutablePointer<UInt8>?, _ length: Int,
  _ flags: Int32, _ user: UnsafeMutableRawPointer?
) -> Int {
  let count = unsafe buffers(user)?.take(
    into: UnsafeMutableRawBufferPointer(start: target, count: length))
  if let count, count > 0 { return count }
  unsafe wslay_event_set_error(context, Int32(WSLAY_ERR_WOULDBLOCK.rawValue))
  return -1
}

private func giveOutput(
  _ context: wslay_event_context_ptr?, _ bytes: UnsafePointer<UInt8>?, _ length: Int,
  _ flags: Int32, _ user: UnsafeMutableRawPointer?
) -> Int {
  let count = unsafe buffers(user)?.give(UnsafeRawBufferPointer(start: bytes, count: length))
  if let count, count > 0 { return count }
  unsafe wslay_event_set_error(context, Int32(WSLAY_ERR_WOULDBLOCK.rawValue))
  return -1
}

/// A frame's mask must not be foreseeable: a script in a page could otherwise shape bytes on the wire.
private func makeMask(
  _ context: wslay_event_context_ptr?, _ mask: UnsafeMutablePointer<UInt8>?, _ length: Int,
  _ user: UnsafeMutableRawPointer?
) -> Int32 {
  let target = unsafe UnsafeMutableBufferPointer(start: mask, count: length)
  for index in target.indices { unsafe target[index] = .random(in: .min ... .max) }
  return 0
}

private func takeMessage(
  _ context: wslay_event_context_ptr?, _ argument: UnsafePointer<wslay_event_on_msg_recv_arg>?,
  _ user: UnsafeMutableRawPointer?
) {
  guard let argument = unsafe argument?.pointee else { return }
  let payload = unsafe UnsafeBufferPointer(start: argument.msg, count: argument.msg_length)
  unsafe buffers(user)?.take(argument.opcode, Array(payload), closeCode: argument.status_code)
}
