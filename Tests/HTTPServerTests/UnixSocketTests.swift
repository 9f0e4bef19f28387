import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("A server at a Unix socket") struct UnixSocketTests {
  private let folder: URL
  private var path: String { folder.path + "/control.sock" }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "u-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func server() throws -> HTTPServer {
    try HTTPServer(socketPath: path) { request -> HTTPServer.Reply in
      .now(.init(status: 200, text: "\(request.peer) \(request.isLocal)"))
    }
  }

  private func ask(_ fields: String = "") -> RawAnswer? {
    let client = RawClient(socketPath: path)
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
    return client.readAnswer()
  }

  @Test("Its visitors are local, unless a proxy names somebody else")
  func local() throws {
    let server = try server()
    #expect(ask()?.text == "unix true\n")
    #expect(ask("X-Real-IP: 10.0.0.9\r\n")?.text == "unix false\n")
    #expect(server.port == 0)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test("It is gone after the end, and the next one comes to the same place")
  func removed() throws {
    let first = try server()
    first.stop()
    #expect(!FileManager.default.fileExists(atPath: path))
    let second = try server()
    #expect(ask()?.status == 200)
    second.stop()
  }

  @Test("What a crashed daemon left is replaced")
  func stale() throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    close(descriptor)
    #expect(FileManager.default.fileExists(atPath: path))
    let server = try server()
    #expect(ask()?.status == 200)
    server.stop()
  }

  @Test("A socket on which somebody listens stays, and so does any other file")
  func occupied() throws {
    let first = try server()
    let busy = try #require(throws: HTTPServer.Failure.self) { try self.server() }
    #expect(busy.description.contains("another program listens there"))
    #expect(ask()?.status == 200)
    first.stop()
    try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
    let failure = try #require(throws: HTTPServer.Failure.self) { try self.server() }
    #expect(failure.description.contains("something else stands there"))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
  }

  @Test("A link is not followed")
  func link() throws {
    let target = folder.path + "/target"
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    #expect(throws: HTTPServer.Failure.self) { try self.server() }
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  @Test("A path that is too long or leads nowhere says so")
  func badPath() throws {
    for bad in [String(repeating: "x", count: 108), "", folder.path + "/none/control.sock"] {
      let failure = try #require(throws: HTTPServer.Failure.self) {
        try HTTPServer(socketPath: bad) { _ -> HTTPServer.Reply in
          .now(.init(status: 200, text: ""))
        }
      }
      #expect(failure.description.hasPrefix("cannot listen on \(bad)"))
    }
  }
}
