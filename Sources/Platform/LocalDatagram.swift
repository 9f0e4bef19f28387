internal import Glibc

/// One datagram to a Unix socket of this host, as service managers take them.
package enum LocalDatagram {
  /// Sends `bytes` to the socket at `path`; a path that begins with `@` is in the abstract name space.
  ///
  /// - Throws: `PlatformError`. Never blocks: a receiver that does not read fails with `EAGAIN`.
  package static func send(_ bytes: [UInt8], to path: String) throws(PlatformError) {
    func failure(_ operation: String) -> PlatformError {
      PlatformError(operation: operation, subject: path, errorNumber: errno)
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(path.utf8)
    guard name.count < MemoryLayout.size(ofValue: address.sun_path), !name.isEmpty else {
      throw PlatformError(
        operation: "send a datagram to", subject: path, errorNumber: ENAMETOOLONG)
    }
    let isAbstract = name.first == UInt8(ascii: "@")
    if isAbstract { name[0] = 0 }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
    let header = MemoryLayout<sockaddr_un>.size - MemoryLayout.size(ofValue: address.sun_path)
    let length = socklen_t(header + name.count + (isAbstract ? 0 : 1))

    let descriptor = socket(
      AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure("open a socket for") }
    defer { close(descriptor) }
    let sent = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe sendto(
          descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL),
          address, length)
      }
    }
    guard sent == bytes.count else { throw failure("send a datagram to") }
  }
}
