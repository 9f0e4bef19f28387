import Foundation

/// A frame as it lay on the wire.
struct WireFrame: Sendable, Equatable {
  var isFinal = true
  var reserved: UInt8 = 0
  var opcode: UInt8
  var mask: [UInt8]?
  var payload: [UInt8]

  static func text(_ text: String) -> WireFrame { WireFrame(opcode: 1, payload: Array(text.utf8)) }
  static func close(_ code: UInt16) -> WireFrame {
    WireFrame(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 255)])
  }

  /// The bytes, with an announced length that may differ from the payload's.
  func bytes(announcing length: Int? = nil) -> [UInt8] {
    let length = length ?? payload.count
    var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
    let masked: UInt8 = mask == nil ? 0 : 0x80
    if length < 126 {
      bytes.append(masked | UInt8(length))
    } else if length < 65_536 {
      bytes += [masked | 126, UInt8(length >> 8), UInt8(length & 255)]
    } else {
      bytes.append(masked | 127)
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
    }
    guard let mask else { return bytes + payload }
    return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
  }
}

extension LoopbackPeer {
  /// Answers the handshake as RFC 6455 asks; nil when the client did not ask for one.
  @discardableResult func upgrade() -> WireRequest? {
    guard let request = readRequest(), let key = request.field("Sec-WebSocket-Key") else {
      return nil
    }
    send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: \(Self.acceptance(of: key))\r\n\r\n")
    return request
  }

  static func acceptance(of key: String) -> String {
    Data(sha1(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))).base64EncodedString()
  }

  /// The next frame, unmasked unless it is larger than a megabyte; nil at the end of the stream.
  func readFrame() -> WireFrame? {
    guard let head = read(exactly: 2) else { return nil }
    var frame = WireFrame(
      isFinal: head[0] & 0x80 != 0, reserved: head[0] >> 4 & 7, opcode: head[0] & 15, payload: [])
    var length = Int(head[1] & 127)
    if length >= 126 {
      guard let more = read(exactly: length == 126 ? 2 : 8) else { return nil }
      length = more.reduce(0) { $0 << 8 | Int($1) }
    }
    if head[1] & 0x80 != 0 {
      guard let mask = read(exactly: 4) else { return nil }
      frame.mask = mask
    }
    guard var payload = length == 0 ? [] : read(exactly: length) else { return nil }
    if let mask = frame.mask, length <= 1_000_000 {
      payload.withUnsafeMutableBufferPointer { bytes in
        var place = 0
        while place < bytes.count {
          bytes[place] ^= mask[place & 3]
          place += 1
        }
      }
    }
    frame.payload = payload
    return frame
  }

  func send(_ frame: WireFrame) { send(frame.bytes()) }

  /// Sends every message back until the client leaves; answers pings and the close frame.
  func echo() {
    while let frame = readFrame() {
      switch frame.opcode {
      case 8: return send(WireFrame(opcode: 8, payload: frame.payload))
      case 9: send(WireFrame(opcode: 10, payload: frame.payload))
      default:
        send(WireFrame(isFinal: frame.isFinal, opcode: frame.opcode, payload: frame.payload))
      }
    }
  }
}

/// SHA-1 once more, so that the tests do not take the product's word for it.
private func sha1(_ message: [UInt8]) -> [UInt8] {
  var h: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
  var padded = message + [0x80]
  while padded.count % 64 != 56 { padded.append(0) }
  padded += (0..<8).map { UInt8(truncatingIfNeeded: (message.count * 8) >> (56 - 8 * $0)) }
  func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x << n | x >> (32 - n) }
  for block in stride(from: 0, to: padded.count, by: 64) {
    var w = (0..<16).map { word in
      (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(padded[block + word * 4 + $1]) }
    }
    for t in 16..<80 { w.append(rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1)) }
    var (a, b, c, d, e) = (h[0], h[1], h[2], h[3], h[4])
    for t in 0..<80 {
      let (f, k): (UInt32, UInt32)
      switch t {
      case 0..<20: (f, k) = (b & c | ~b & d, 0x5A82_7999)
      case 20..<40: (f, k) = (b ^ c ^ d, 0x6ED9_EBA1)
      case 40..<60: (f, k) = (b & c | b & d | c & d, 0x8F1B_BCDC)
      default: (f, k) = (b ^ c ^ d, 0xCA62_C1D6)
      }
      let next = rotate(a, 5) &+ f &+ e &+ k &+ w[t]
      (a, b, c, d, e) = (next, a, rotate(b, 30), c, d)
    }
    h = zip(h, [a, b, c, d, e]).map { $0 &+ $1 }
  }
  return h.flatMap { word in
    (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32($0))) }
  }
}
