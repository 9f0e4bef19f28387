import Networking
import Platform
import Testing

@Suite("Addresses that requests may go to") struct AddressPolicyTests {
  let network: Network

  init() throws { network = try Network() }

  @Test(
    "are public ones",
    arguments: [
      "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
      "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
      "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
      "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::", "2400:cb00::1",
      "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
      "2001:0:808:808::f7f7:f7f7",
    ])
  func allowed(text: String) throws {
    let address = try #require(IPAddress(literal: text))
    #expect(address.isPublic)
    #expect(AddressPolicy.publicOnly(except: []).allows(address, for: "cloud.test"))
  }

  @Test(
    "are no others",
    arguments: [
      "0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
      "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.0", "172.31.255.255",
      "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0",
      "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255",
      "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "febf::1",
      "fec0::1", "fc00::1", "fdff::1", "ff02::1", "::127.0.0.1", "::8.8.8.8",
      "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:c0a8:1", "64:ff9b::192.168.1.1",
      "64:ff9b:1::8.8.8.8", "2002:7f00:1::", "2002:c0a8:101::1", "2002:a00:1::1",
      "2001:0:808:808::80ff:fffe", "2001:0:7f00:1::f7f7:f7f7", "2001:db8::1", "2001:2::1",
      "2001:10::1", "2001:20::1", "3fff::1", "100::1", "4000::1",
      // Spellings that a resolver takes for addresses.
      "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1",
      "127.0.0.1.", "0", "0x0", "0xa.0x0.0x0.0x1", "3232235777", "012.1.1.1",
    ])
  func forbidden(text: String) throws {
    let address = try #require(IPAddress(literal: text))
    #expect(!address.isPublic)
    let policy = AddressPolicy.publicOnly(except: ["excepted.test"])
    #expect(!policy.allows(address, for: "cloud.test"))
    #expect(policy.allows(address, for: "excepted.test"))
    #expect(AddressPolicy.any.allows(address, for: "cloud.test"))
  }

  @Test(
    "are not read into names",
    arguments: [
      "cloud.test", "", "1.2.3.4.5", "256.1.1.1", "0x", "1.2.3.4x", "08.1.1.1", "a.b", ":",
      "1::2::3",
    ])
  func names(text: String) { #expect(IPAddress(literal: text) == nil) }

  private func request(
    _ url: String, except: Set<String> = [], _ policy: AddressPolicy? = nil
  ) -> HTTPRequest {
    var request = HTTPRequest("GET", url)
    request.addresses = policy ?? .publicOnly(except: except)
    return request
  }

  @Test(
    "are judged for what the host turns out to be",
    arguments: [
      "127.0.0.1", "localhost", "LOCALHOST", "2130706433", "0x7f.1", "127.1", "0",
      "[::1]", "[::ffff:127.0.0.1]", "127.0.0.1.", "%31%32%37.0.0.1",
    ])
  func connection(host: String) async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    let client = network.client(settings: NetworkSettings(proxy: ""))
    let url = "http://\(host):\(server.port)/"
    let error = await #expect(throws: NetworkError.self) { try await client.send(request(url)) }
    #expect(error?.kind == .forbiddenAddress, "\(error!)")
    #expect(error?.requestMayHaveArrived == false)
    #expect(server.accepted == 0)
  }

  @Test(
    "may be excepted by the URL's host, as it stands there", arguments: ["127.0.0.1", "localhost"])
  func exception(host: String) async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    let client = network.client()
    let url = "http://\(host):\(server.port)/"
    #expect(try await client.send(request(url, except: [host])).status == 200)
    await #expect(throws: NetworkError.self) {
      try await client.send(request(url, except: ["\(host).test"]))
    }
    #expect(server.accepted == 1)
  }

  @Test("are not reached over a connection that was kept from before")
  func pool() async throws {
    let count = Guarded(0)
    let server = LoopbackServer { peer in
      peer.serve { _ in
        count.withLock { $0 += 1 }
        peer.respond()
      }
    }
    let client = network.client()
    let url = "http://localhost:\(server.port)/"
    _ = try await client.send(request(url, .any))
    _ = try await client.send(request(url, except: ["localhost"]))
    #expect(server.accepted == 1)  // kept and used again
    let error = await #expect(throws: NetworkError.self) { try await client.send(request(url)) }
    #expect(error?.kind == .forbiddenAddress)
    #expect(count.withLock { $0 } == 2)
    _ = try await client.send(request(url, .any))
    #expect(server.accepted == 1)
  }

  @Test("are judged in the URL where a proxy looks names up")
  func proxy() async throws {
    let lines = Guarded<[String]>([])
    let proxy = LoopbackServer { peer in
      peer.serve { request in
        lines.withLock { $0.append(request.line) }
        peer.respond("200 OK", "by proxy")
      }
    }
    let client = network.client(settings: NetworkSettings(proxy: proxy.url()))
    // The proxy's own address does not count.
    let response = try await client.send(request("http://cloud.test/"))
    #expect(response.body == Array("by proxy".utf8))
    for host in [
      "10.0.0.1", "0xa.1", "167772161", "012.0.0.1", "10.0.0.1.", "[fe80::1]", "[::ffff:a00:1]",
      "localhost.", "a.localhost", "127.0.0.1", "127.1", "１0.0.0.1", "%6cocalhost.",
    ] {
      let error = await #expect(throws: NetworkError.self, "\(host)") {
        try await client.send(request("http://\(host)/"))
      }
      #expect(error?.kind == .forbiddenAddress || error?.kind == .badURL, "\(host): \(error!)")
    }
    #expect(lines.withLock { $0 } == ["GET http://cloud.test/ HTTP/1.1"])
    _ = try await client.send(request("http://10.0.0.1/", except: ["10.0.0.1"]))
    #expect(lines.withLock { $0.count } == 2)
  }

  @Test("have nothing to do with Unix sockets, which are refused beside them")
  func unixSocket() async throws {
    var request = request("http://cloud.test/")
    request.unixSocket = "/tmp/nothing.sock"
    let error = await #expect(throws: NetworkError.self) {
      try await network.client().send(request)
    }
    #expect(error?.kind == .forbiddenAddress)
  }
}
