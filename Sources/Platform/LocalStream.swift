internal import CPlatform
internal import Glibc

/// One question and its answer over a stream socket of this host.
package enum LocalStream {
  /// Connects to the socket at `path`, sends `bytes` and reads until the other side closes.
  ///
  /// Blocks: call it through ``offload(_:)``, or where nothing else runs.
  ///
  /// - Parameters:
  ///   - timeout: how long the other side may be silent, in whole seconds.
  ///   - limit: the most bytes of an answer; more fails with `EFBIG`.
  /// - Throws: `PlatformError`; `ENOENT` or `ECONNREFUSED` where nobody listens, `EAGAIN` where the time is over.
  package static func exchange(
    _ bytes: [UInt8], at path: String, timeout: Int = 30, limit: Int = 1 << 20
  ) throws(PlatformError) -> [UInt8] {
    let descriptor = try connected(to: path, timeout: timeout)
    try send(bytes, to: descriptor.number, path)
    return try receive(from: descriptor.number, path, limit: limit)
  }

  /// Whether somebody listens at the socket `path`. Blocks for as long as that one's queue is full, at most a second.
  package static func isListening(at path: String) -> Bool {
    do throws(PlatformError) {
      _ = try connected(to: path, timeout: 1)
      return true
    } catch {
      return false
    }
  }

  private static func connected(
    to path: String, timeout: Int
  ) throws(PlatformError) -> FileDescriptor {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let name = Array(path.utf8)
    guard name.count < MemoryLayout.size(ofValue: address.sun_path), !name.isEmpty else {
      throw PlatformError(operation: "connect to", subject: path, errorNumber: ENAMETOOLONG)
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
    let number = socket(
      AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw .current("open a socket for", path) }
    let descriptor = FileDescriptor(owning: number)
    var time = timeval(tv_sec: timeout, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      _ = unsafe setsockopt(
        descriptor.number, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }
    let connected = unsafe withUnsafeBytes(of: address) { raw in
      unsafe raw.withMemoryRebound(to: sockaddr.self) {
        unsafe connect(descriptor.number, $0.baseAddress, socklen_t(raw.count))
      }
    }
    guard connected == 0 else { throw .current("connect to", path) }
    return descriptor
  }

  private static func send(
    _ bytes: [UInt8], to socket: Int32, _ path: String
  ) throws(PlatformError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = retrying {
        unsafe rest.withUnsafeBytes {
          unsafe Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
      }
      guard count > 0 else { throw .current("write to", path) }
      rest = rest.dropFirst(count)
    }
  }

  private static func receive(
    from socket: Int32, _ path: String, limit: Int
  ) throws(PlatformError) -> [UInt8] {
    var answer: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = retrying { unsafe recv(socket, &piece, piece.count, 0) }
      guard count >= 0 else { throw .current("read from", path) }
      guard count > 0 else { return answer }
      answer += piece.prefix(count)
      guard answer.count <= limit else {
        throw PlatformError(operation: "read from", subject: path, errorNumber: EFBIG)
      }
    }
  }
}
