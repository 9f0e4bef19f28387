internal import Glibc
internal import Platform

/// One TCP connection that sends exactly the bytes it is told to, and reads with a limit of five seconds.
///
/// One user at a time, on whatever thread.
package final class RawClient: @unchecked Sendable {
  private let descriptor: Int32
  private var buffer: [UInt8] = []

  package init(port: Int, isIPv6: Bool = false) {
    descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    if isIPv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = in_port_t(port).bigEndian
      inet_pton(AF_INET6, "::1", &address.sin6_addr)
      connect(to: &address)
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
      connect(to: &address)
    }
  }

  package init(socketPath: String) {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(socketPath.utf8)) }
    connect(to: &address)
  }

  deinit { close(descriptor) }

  private func connect<Address>(to address: inout Address) {
    let length = socklen_t(MemoryLayout<Address>.size)
    withUnsafeMutableBytes(of: &address) {
      guard let start = $0.assumingMemoryBound(to: sockaddr.self).baseAddress else { return }
      _ = Glibc.connect(descriptor, start, length)
    }
  }

  /// Sends all of `text`; false once the other side has closed.
  @discardableResult package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  @discardableResult package func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// How the other side stands after it has had its say.
  package enum End: Equatable { case closed, silent }

  /// Reads until the other side closes, or says nothing for the limit.
  package func readToEnd() -> (bytes: [UInt8], end: End) {
    while true {
      switch receive() {
      case 1...: continue
      case 0: return (buffer, .closed)
      default: return (buffer, errno == ECONNRESET ? .closed : .silent)
      }
    }
  }

  /// Reads one answer with a `Content-Length`; nil when the connection ends before it is whole.
  package func readAnswer(hasBody: Bool = true) -> RawAnswer? {
    while true {
      if let end = buffer.firstRange(of: [13, 10, 13, 10]) {
        let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
        let length = hasBody ? RawAnswer(head: head, body: []).length : 0
        if buffer.count >= end.upperBound + length {
          let body = Array(buffer[end.upperBound..<(end.upperBound + length)])
          buffer.removeFirst(end.upperBound + length)
          return RawAnswer(head: head, body: body)
        }
      }
      guard receive() > 0 else { return nil }
    }
  }

  /// ``readAnswer(hasBody:)`` beside the cooperative pool, where the server's asynchronous answers are made.
  package func laterAnswer() async -> RawAnswer? {
    try? await offload { self.readAnswer() }
  }

  private func receive() -> Int {
    var piece = [UInt8](repeating: 0, count: 4_096)
    let count = recv(descriptor, &piece, piece.count, 0)
    if count > 0 { buffer += piece.prefix(count) }
    return count
  }
}

package struct RawAnswer: Sendable {
  package var head: String
  package var body: [UInt8]

  /// An answer in parts.
  package init(head: String, body: [UInt8]) {
    self.head = head
    self.body = body
  }

  package var status: Int? { head.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
  package var text: String { String(decoding: body, as: UTF8.self) }
  package var length: Int { self["Content-Length"].flatMap { Int($0) } ?? 0 }

  package subscript(name: String) -> String? {
    for line in head.split(separator: "\r\n").dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      if line[..<colon].lowercased() == name.lowercased() {
        return line[line.index(after: colon)...].trimmingPrefix { $0 == " " }.description
      }
    }
    return nil
  }
}
