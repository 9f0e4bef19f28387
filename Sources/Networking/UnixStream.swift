internal import CCurl  // brings <sys/socket.h>, whose constants Glibc alone does not always show
internal import Glibc

/// A connection to a Unix socket.
@safe final class UnixStream: ByteStream {
  private let path: String
  private(set) var descriptor: Int32?

  init(path: String) { self.path = path }

  deinit { close(on: nil) }

  func connect(for activity: any Activity, on loop: NetworkLoop) throws(NetworkError) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard Self.isUsable(path: path) else {
      throw NetworkError(.badURL, "socket \(path): the path is empty or too long")
    }
    let bytes = Array(path.utf8)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw failure() }
    self.descriptor = descriptor
    // A Unix socket connects at once, or says EAGAIN when too many wait to be accepted.
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw failure() }
    return true
  }

  /// Whether a socket can have this path.
  static func isUsable(path: String) -> Bool {
    let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
    return !path.isEmpty && !path.utf8.contains(0) && path.utf8.count < room
  }

  func connected(_ result: CurlResult) {}

  func read() -> ReadOutcome {
    guard let descriptor else { return .end }
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
      let got = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
      failure = got < 0 ? errno : 0
      count = max(0, got)
    }
    switch failure {
    case 0: return bytes.isEmpty ? .end : .bytes(bytes, isAll: bytes.count < 16_384)
    case EAGAIN, EINTR: return .again
    default: return .failed(unsafe String(cString: strerror(failure)))
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
    guard let descriptor else { return .failed("closed") }
    let sent = unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    if sent >= 0 { return .wrote(sent) }
    let failure = errno
    return failure == EAGAIN || failure == EINTR
      ? .again : .failed(unsafe String(cString: strerror(failure)))
  }

  func close(on loop: NetworkLoop?) {
    if let descriptor { Glibc.close(descriptor) }
    descriptor = nil
  }

  private func failure() -> NetworkError {
    let reason = unsafe String(cString: strerror(errno))
    return NetworkError(.connect, "socket \(path): cannot connect: \(reason)")
  }
}
