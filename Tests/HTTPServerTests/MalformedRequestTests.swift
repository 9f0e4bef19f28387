import HTTPServer
import TestSupport
import Testing

@Suite("Malformed requests") struct MalformedRequestTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var request: String
    /// Nil where the connection is closed without a word.
    var status: Int?
    var testDescription: String { name }

    init(_ name: String, _ status: Int?, _ request: String) {
      self.name = name
      self.status = status
      self.request = request
    }
  }

  static let cases: [Case] = [
    Case(
      "length and encoding", 400,
      "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    Case(
      "differing lengths", 400,
      "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n"),
    Case(
      "list of lengths", 400,
      "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0, 0\r\n\r\n"),
    Case("signed length", 400, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +0\r\n\r\n"),
    Case("negative length", 400, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"),
    Case(
      "overflowing length", 413,
      "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n"),
    Case(
      "blank before the colon of an encoding", 400,
      "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    Case(
      "blank before the colon of another field", 400,
      "GET / HTTP/1.1\r\nHost: localhost\r\nX-Other\t: 1\r\n\r\n"),
    Case("blank inside a name", 400, "GET / HTTP/1.1\r\nHost: localhost\r\nX Y: 1\r\n\r\n"),
    Case("two hosts", 400, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
    Case("no host", 400, "GET / HTTP/1.1\r\n\r\n"),
    Case("empty host", 421, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    Case("a stranger's host", 421, "GET / HTTP/1.1\r\nHost: printer.evil.example\r\n\r\n"),
    Case(
      "unknown encoding", 400,
      "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: cow\r\n\r\n"),
    Case(
      "two encodings", 400,
      "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    Case(
      "encoding twice", 400,
      "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
    ),
    Case(
      "encoding in HTTP/1.0", 400,
      "GET / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"),
    Case(
      "chunks", 411, "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"),
    Case("a large body", 413, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n\r\n"),
    Case("POST", 405, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"),
    Case("DELETE", 405, "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("OPTIONS *", 405, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("CONNECT", 405, "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("lower-case method", 405, "get / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case(
      "a proxy's target", 400, "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("escaped NUL", 400, "GET /a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("escaped line end", 400, "GET /a%0d%0ab HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("escaped slash", 400, "GET /a%2Fb HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("half an escape", 400, "GET /a%4 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("no hexadecimal escape", 400, "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("escapes that are no UTF-8", 400, "GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("raw UTF-8", 400, "GET /ä HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("broken escape in the query", 400, "GET /?a=%g0 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("blank in the target", nil, "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case("a line without a colon", 400, "GET / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n"),
    Case("an unknown version", 505, "GET / HTTP/3.7\r\nHost: localhost\r\n\r\n"),
    Case("HTTP/2's preface", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Case("no version", 400, "GET /\r\n\r\n"),
    Case("nonsense", nil, "\u{16}\u{03}\u{01}\r\n\r\n"),
    Case(
      "a large field", 431,
      "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 9_000))\r\n\r\n"),
    Case(
      "a huge field", 431,
      "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 90_000))\r\n\r\n"),
    Case(
      "a large target", 431,
      "GET /\(String(repeating: "x", count: 9_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Case(
      "many fields", 431,
      "GET / HTTP/1.1\r\nHost: localhost\r\n\(String(repeating: "X: 1\r\n", count: 64))\r\n"),
  ]

  @Test("are refused with the right status, and the connection is closed", arguments: cases)
  func areRefused(_ malformed: Case) throws {
    let server = try HTTPServer(address: .loopback) { _ in
      HTTPServer.Response(status: 200, text: "reached")
    }
    let client = RawClient(port: server.port)
    client.send(malformed.request)
    let answer = client.readToEnd()
    let text = String(decoding: answer.bytes, as: UTF8.self)
    #expect(answer.end == .closed)
    #expect(RawAnswer(head: text, body: []).status == malformed.status, "\(text)")
    #expect(!text.contains("reached"))
  }
}

extension HTTPServer.Address {
  static var loopback: Self { Self(host: "127.0.0.1", port: 0) }
}
