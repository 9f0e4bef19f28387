import Testing

@testable import CuraConnect
@testable import HTTPServer

@Suite("Addresses and paths") struct RouteTests {
  @Test("paths are known with and without a slash at their end", arguments: ["", "/"])
  func slashes(_ end: String) {
    #expect(CuraRoute("/cluster-api/v1/printers\(end)") == .printers)
    #expect(CuraRoute("/cluster-api/v1/print_jobs\(end)") == .jobs)
    #expect(CuraRoute("/cluster-api/v1/print_jobs/AB\(end)") == .job("ab"))
    #expect(CuraRoute("/cluster-api/v1/print_jobs/ab/action\(end)") == .action("ab"))
    #expect(CuraRoute("/cluster-api/v1/print_jobs/ab/action/move\(end)") == .move("ab"))
    #expect(CuraRoute("/cluster-api/v1/print_jobs/ab/preview_image\(end)") == .preview("ab"))
    #expect(CuraRoute("/api/v1/system\(end)") == .system)
    #expect(CuraRoute("/print_jobs\(end)") == .page)
  }

  @Test(
    "other paths are not",
    arguments: [
      "//", "/cluster-api", "/cluster-api/v1", "/cluster-api/v2/printers", "/api/v1/system/x",
      "/cluster-api/v1/print_jobs//action", "/cluster-api/v1/print_jobs/a/b",
      "/cluster-api/v1/print_jobs/a/action/move/x", "/etc/passwd", "x",
    ])
  func others(_ path: String) {
    let route = CuraRoute(path)
    #expect(route == nil || route == .action(""))
  }

  private func request(_ peer: String, forwarded: String? = nil) -> HTTPServer.Request {
    HTTPServer.Request(
      method: "GET", path: "/", query: [],
      fields: forwarded.map { [(name: "X-Forwarded-For", value: $0)] } ?? [], peer: peer,
      isLocal: false,
      isFromLoopback: peer == "127.0.0.1")
  }

  @Test(
    "only the networks that the owner names may call, and a proxy only on this host says who calls",
    arguments: [
      ("192.168.1.7", nil, true), ("8.8.8.8", nil, false), ("fe80::1", nil, true),
      ("2001:4860::1", nil, false), ("127.0.0.1", "192.168.1.9", true),
      ("127.0.0.1", "8.8.8.8", false), ("127.0.0.1", "192.168.1.9, 8.8.8.8", false),
      ("8.8.8.8", "192.168.1.9", false), ("127.0.0.1", "nonsense", false),
      ("127.0.0.1", "::ffff:192.168.1.9", true), ("127.0.0.1", "::ffff:8.8.8.8", false),
      ("127.0.0.1", "unix", false),
      ("172.32.0.1", nil, false),
    ] as [(String, String?, Bool)])
  func peers(_ peer: String, _ forwarded: String?, _ isAllowed: Bool) {
    let access = PeerAccess(allowed: NetworkRange.local)
    #expect(access.allows(request(peer, forwarded: forwarded)) == isAllowed)
  }

  @Test(
    "what is no network is none",
    arguments: ["", "a", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "::/129", "/8", "1.2.3.4/8/8"])
  func ranges(_ text: String) { #expect(NetworkRange(text) == nil) }

  @Test(
    "an address has a port",
    arguments: ["", "127.0.0.1", ":80", "localhost:80", "1.2.3.4:70000", "1.2.3.4:x"])
  func places(_ text: String) { #expect(ListenPlace.address(text) == nil) }

  @Test("IPv6 addresses stand in brackets")
  func brackets() {
    #expect(ListenPlace.address("[::]:80") == HTTPServer.Address(host: "::", port: 80))
  }
}
