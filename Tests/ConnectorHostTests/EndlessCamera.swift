import Foundation
import Networking
import Platform

/// A camera on loopback that streams one picture for ever to whoever connects first.
final class EndlessCamera: Sendable {
  /// The stream's address.
  let url: String
  private let isLeft = Guarded(false)

  /// Whether its client has closed the connection.
  var hasBeenLeft: Bool { isLeft.withLock { $0 } }

  /// - Throws: when there is no port to be had.
  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(listener, generic, length) == 0 && listen(listener, 1) == 0
          && getsockname(listener, generic, &length) == 0
      }
    }
    guard isListening else { throw POSIXError(.EADDRINUSE) }
    url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/stream"
    let picture = HTTPResponse.picture().body
    Thread.detachNewThread { [isLeft] in
      let peer = accept(listener, nil, nil)
      close(listener)
      var request = [UInt8](repeating: 0, count: 4_096)
      _ = recv(peer, &request, request.count, 0)
      let head = "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n"
      var next = Array(head.utf8)
      while send(peer, next, next.count, Int32(MSG_NOSIGNAL)) > 0 {
        next = Array("--b\r\nContent-Type: image/jpeg\r\n\r\n".utf8) + picture + [13, 10]
      }
      close(peer)
      isLeft.withLock { $0 = true }
    }
  }
}
