internal import CCrypto
internal import Platform

/// The client's half of a WebSocket's opening handshake (RFC 6455 §4.1), without I/O.
struct UpgradeHandshake {
  /// The most bytes of the server's answer.
  static let headerLimit = 16 << 10

  private let key: String
  private let label: String
  private let subprotocols: [String]
  private var head: [UInt8] = []

  /// The request to send.
  let request: [UInt8]

  /// A handshake for `target` with the caller's `fields` and 16 bytes of `nonce`.
  ///
  /// - Throws: `NetworkError` for a field that belongs to the handshake or would break it.
  init(target: URLParts, fields: [HTTPField], nonce: [UInt8]) throws(NetworkError) {
    key = Base64.encode(nonce)
    label = target.hostAndPort
    var lines = [
      "GET \(target.target) HTTP/1.1", "Host: \(target.authority)", "Upgrade: websocket",
      "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(key)",
    ]
    var subprotocols: [String] = []
    for field in fields {
      try field.check()
      let name = field.name.lowercased()
      if Self.handshakesOwn.contains(name) {
        throw NetworkError(.other, "the header field \(field.name) is set by the handshake itself")
      }
      if name == "sec-websocket-protocol" { subprotocols += Self.tokens(field.value) }
      lines.append("\(field.name): \(field.value)")
    }
    self.subprotocols = subprotocols
    request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  private static let handshakesOwn: Set<String> = [
    "host", "upgrade", "connection", "sec-websocket-version", "sec-websocket-key",
    "sec-websocket-accept", "sec-websocket-extensions", "content-length", "transfer-encoding",
  ]

  /// Takes bytes of the answer.
  ///
  /// - Returns: nil while more are needed; once the server has agreed, what follows its answer.
  /// - Throws: `NetworkError` when it has not, or answered nonsense.
  mutating func receive(_ bytes: [UInt8]) throws(NetworkError) -> [UInt8]? {
    head += bytes
    guard let end = head.firstRange(ofBytes: Array("\r\n\r\n".utf8)) else {
      if head.count > Self.headerLimit {
        throw NetworkError(
          .tooLarge, "\(label): the handshake's answer is larger than \(Self.headerLimit) bytes")
      }
      return nil
    }
    try check(String(decoding: head[..<end.lowerBound], as: UTF8.self))
    return Array(head[end.upperBound...])
  }

  private func check(_ answer: String) throws(NetworkError) {
    var lines = answer.split(separator: "\r\n", omittingEmptySubsequences: false)
    let statusLine = lines.removeFirst().split(separator: " ", maxSplits: 2)
    guard statusLine.count >= 2, statusLine[0] == "HTTP/1.1" || statusLine[0] == "HTTP/1.0",
      statusLine[1].utf8.count == 3, let status = Int(statusLine[1]), status >= 100
    else { throw refusal("the answer is not HTTP") }
    guard status == 101 else {
      var refused = refusal("the WebSocket was refused with status \(status)", status: status)
      refused.retryAfter = lines.lazy.compactMap(Self.retryAfter).first
      throw refused
    }
    var fields: [String: [String]] = [:]
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { throw refusal("a header line is broken") }
      fields[line[..<colon].lowercased(), default: []] += Self.tokens(
        line[line.index(after: colon)...])
    }
    func has(_ name: String, _ token: String) -> Bool {
      fields[name, default: []].contains { $0.lowercased() == token }
    }
    guard has("upgrade", "websocket"), has("connection", "upgrade") else {
      throw refusal("the handshake's answer does not upgrade to a WebSocket")
    }
    guard fields["sec-websocket-accept"] == [Self.acceptance(of: key)] else {
      throw refusal("the handshake's answer was made for another request")
    }
    guard fields["sec-websocket-extensions", default: []].isEmpty,
      fields["sec-websocket-protocol", default: []].allSatisfy(subprotocols.contains)
    else { throw refusal("the handshake's answer names what was not asked for") }
  }

  private func refusal(_ what: String, status: Int? = nil) -> NetworkError {
    NetworkError(.protocolViolation, "\(label): \(what)", httpStatus: status)
  }

  /// The value of a line that is the field `Retry-After`.
  private static func retryAfter(_ line: Substring) -> String? {
    guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "retry-after" else {
      return nil
    }
    return String(line[line.index(after: colon)...].prefix(64))
  }

  private static func tokens(_ value: some StringProtocol) -> [String] {
    value.split(separator: ",").map { part in
      var token = part[...]
      while let first = token.first, first == " " || first == "\t" { token.removeFirst() }
      while let last = token.last, last == " " || last == "\t" { token.removeLast() }
      return String(token)
    }.filter { !$0.isEmpty }
  }

  /// What a server that understood `key` answers: proof that it speaks WebSocket, nothing secret.
  static func acceptance(of key: String) -> String {
    let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
    var digest = [UInt8](repeating: 0, count: 20)
    unsafe EVP_Digest(text, text.count, &digest, nil, EVP_sha1(), nil)
    return Base64.encode(digest)
  }
}
