import Foundation
import Platform
import Testing

@Suite("Local datagram") struct LocalDatagramTests {
  @Test("Datagrams reach a socket by path and by abstract name", arguments: [false, true])
  func datagrams(isAbstract: Bool) throws {
    let name = "notify-\(UUID().uuidString.prefix(8))"
    let path = isAbstract ? "@" + name : NSTemporaryDirectory() + "/" + name
    let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer {
      close(receiver)
      unlink(path)
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    if isAbstract { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(2 + bytes.count + (isAbstract ? 0 : 1))
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(receiver, $0, length) }
    }
    try #require(bound == 0)

    try LocalDatagram.send(Array("READY=1".utf8), to: path)
    try LocalDatagram.send(Array("STATUS=2 backends\nWATCHDOG=1".utf8), to: path)
    #expect(receive(receiver) == "READY=1")
    #expect(receive(receiver) == "STATUS=2 backends\nWATCHDOG=1")
    #expect(receive(receiver) == "")
  }

  private func receive(_ socket: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }

  @Test(
    "A socket that is not there, or cannot be named, is an error",
    arguments: ["", "/none/socket", "@none", "/" + String(repeating: "x", count: 200)])
  func absent(path: String) {
    #expect(throws: PlatformError.self) { try LocalDatagram.send([1], to: path) }
  }
}
