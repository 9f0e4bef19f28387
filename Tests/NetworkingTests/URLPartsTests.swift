import Networking
import Testing

@Suite("The parts of a URL") struct URLPartsTests {
  @Test("are taken apart")
  func parts() throws {
    let parts = try #require(URLParts("HTTPS://User:pw@Example.COM:8443/a%20b/c?x=1&y=%3F#top"))
    #expect(parts.scheme == "https")
    #expect(parts.host == "example.com")
    #expect(parts.port == 8443)
    #expect(parts.path == "/a%20b/c")
    #expect(parts.query == "x=1&y=%3F")
    #expect(parts.fragment == "top")
    #expect(parts.hasCredentials)
    #expect(parts.origin == "https://example.com:8443")
  }

  @Test(
    "have the scheme's default port",
    arguments: zip(["http", "https", "ws", "wss"], [80, 443, 80, 443]))
  func defaults(scheme: String, port: Int) throws {
    for text in ["\(scheme)://h", "\(scheme)://h/", "\(scheme)://h:\(port)", "\(scheme)://h:"] {
      let parts = try #require(URLParts(text))
      #expect(parts.port == port)
      #expect(parts.origin == "\(scheme)://h")
      #expect(parts.path == "/")
      #expect(parts.query == nil)
      #expect(parts.fragment == nil)
      #expect(!parts.hasCredentials)
    }
  }

  @Test("name an IPv6 host without brackets")
  func ipv6() throws {
    let parts = try #require(URLParts("http://[fe80::1]:7125/x"))
    #expect(parts.host == "fe80::1")
    #expect(parts.origin == "http://[fe80::1]:7125")
    #expect(URLParts("http://[fe80::1%25eth0]/")?.host == "fe80::1%eth0")
    #expect(URLParts("http://[fe80::1%25eth0]/")?.origin == "http://[fe80::1%25eth0]")
  }

  @Test(
    "do not exist for what is no absolute URL",
    arguments: [
      "", " ", "h", "h:80", "//h/", "/path", "http", "http:", "http:h", "http:/h", "http://",
      "http:///h", "http:////h", "http://:80/", "http://h:0/", "http://h:65536/", "http://h:-1/",
      "http://h:8o/", "http://h h/", "http://h/\n", "http://h\r\nX: y/", "http://h\0.evil/",
      "http://[::1", "http://::1/", "http://[zz]/", "ftp://h/", "file:///x", "mailto:a@b",
      "javascript:alert(1)", "http://<h>/", "http://h/\u{1}", "1http://h/",
      "http://h:99999999999999999999/",
    ])
  func refused(text: String) { #expect(URLParts(text) == nil) }

  @Test("survive long and odd text") func odd() {
    let long = "http://h/" + String(repeating: "a", count: 100_000)
    #expect(URLParts(long)?.path.utf8.count == 100_001)
    #expect(URLParts("http://h/?" + String(repeating: "%", count: 10_000)) != nil)
    #expect(URLParts("http://" + String(repeating: "a.", count: 50_000) + "/")?.port == 80)
    #expect(URLParts("http://h/" + String(repeating: "a", count: 9_000_000)) == nil)
    #expect(URLParts("http://h/ä")?.path == "/ä")
  }

  @Test(
    "tell loopback hosts",
    arguments: [
      "http://localhost/", "http://LOCALHOST:7125", "http://127.0.0.1", "http://127.255.1.2/",
      "http://[::1]:80/", "http://[0:0:0:0:0:0:0:1]/", "ws://127.1/",
    ])
  func loopback(text: String) throws { #expect(try #require(URLParts(text)).isLoopback) }

  @Test(
    "tell hosts that only look like loopback",
    arguments: [
      "http://localhost.evil.com/", "http://127.0.0.1.evil.com/", "http://127.0.0.1@evil.com/",
      "http://128.0.0.1/", "http://[::2]/", "http://[2001::1]/", "http://localhost@evil.com/",
      "http://evil.com/#@localhost", "http://evil.com?@127.0.0.1", "http://127/",
      "http://0.0.0.0/",
    ])
  func foreign(text: String) throws { #expect(try !#require(URLParts(text)).isLoopback) }

  @Test(
    "are escaped but for unreserved characters",
    arguments: [
      ("", ""), ("aZ09-._~", "aZ09-._~"), ("a b/c", "a%20b%2Fc"), ("ä€", "%C3%A4%E2%82%AC"),
      ("%2F", "%252F"), ("?&=+#;'\"", "%3F%26%3D%2B%23%3B%27%22"), ("\u{0}\n", "%00%0A"),
    ])
  func escape(text: String, escaped: String) { #expect(URLParts.escape(text) == escaped) }

  @Test(
    "lead on from one to the next",
    arguments: [
      ("/x", "https://h.test/x"), ("x?y#z", "https://h.test/a/x?y#z"),
      ("//o.test/x", "https://o.test/x"),
      ("http://o.test", "http://o.test/"), ("../../x", "https://h.test/x"),
      ("?q", "https://h.test/a/b?q"),
      ("/a b", "https://h.test/a%20b"), ("ftp://o.test/x", "ftp://o.test/x"),
      ("http://[::1]:99/x", "http://[::1]:99/x"), ("/a\0b", nil), ("http://h h/", nil),
      ("http://:x/", nil),
    ] as [(String, String?)])
  func resolve(reference: String, expected: String?) {
    #expect(URLParts.resolve(reference, from: "https://h.test/a/b?c=d") == expected)
  }
}
