import ConnectorKit
import JSON
import Networking
import TestSupport
import Testing

@testable import PHPHub

@Suite("PHP hub: addresses and generations") struct HubAddressTests {
  @Test(
    "The last component tells the generation, whatever stands behind it",
    arguments: [
      ("https://h/printerhub/api.php", "v1"), ("https://h/api.php?x=1#y", "v1"),
      ("https://h/printer-api/update.php", "v2"), ("https://h/commands.php", "v2"),
      ("https://h/files.php", "v2"), ("https://h/printerhub", nil), ("https://h/", nil),
      ("https://h/api.php/", nil),
    ])
  func generation(url: String, generation: String?) {
    #expect(HubAddress.generation(named: url)?.rawValue == generation)
  }

  @Test("Siblings differ in the last component only")
  func siblings() {
    let first = HubAddress(server: "https://h/api.php.d/api.php?a=b", generation: .v1)
    #expect(first.update == "https://h/api.php.d/api.php")
    #expect(first.commands == "https://h/api.php.d/api.php")
    #expect(first.files == "https://h/api.php.d/api_files.php")
    #expect(first.image == "https://h/api.php.d/upload_image.php")
    let second = HubAddress(server: "https://h:8443/hub/printer-api/commands.php", generation: .v2)
    #expect(second.update == "https://h:8443/hub/printer-api/update.php")
    #expect(second.commands == "https://h:8443/hub/printer-api/commands.php")
    #expect(second.files == "https://h:8443/hub/printer-api/files.php")
    #expect(second.image == nil)
  }

  @Test("A folder holds either hub")
  func folder() {
    #expect(HubAddress(server: "http://h/hub", generation: .v1).update == "http://h/hub/api.php")
    #expect(
      HubAddress(server: "http://h/hub/", generation: .v2).files
        == "http://h/hub/printer-api/files.php")
    // The second hub of a folder whose first one is named.
    #expect(
      HubAddress(server: "http://h/hub/api.php", generation: .v2).update
        == "http://h/hub/printer-api/update.php")
  }

  @Test("The owner's addresses win")
  func overrides() {
    let own = HubAddress.Overrides(
      update: "http://h/u", commands: "http://h/c?x=1", files: "http://h/f", image: "http://h/i")
    for generation in [Generation.v1, .v2] {
      let address = HubAddress(
        server: "http://h/hub/", generation: generation, overrides: own)
      #expect(address.update == "http://h/u" && address.commands == "http://h/c?x=1")
      #expect(address.files == "http://h/f" && address.image == "http://h/i")
    }
    #expect(
      HubAddress.query("http://h/c?x=1", [("token", "a&b=c d")])
        == "http://h/c?x=1&token=a%26b%3Dc%20d")
  }

  @Test("A folder is asked by two harmless questions, and never for commands or printers")
  func probing() async throws {
    for (answering, generation) in [("api.php", Generation.v1), ("update.php", .v2)] {
      let bench = TestBench { (request, _) async throws(NetworkError) in
        request.path.hasSuffix(answering)
          ? .json(200, "{\"success\":false,\"message\":\"no\"}")
          : HTTPResponse(status: 404)
      }
      let settings = settings(["server_url": .string("http://hub.test/hub/")])
      let client = HubClient(
        token: Secret("t"), timeout: .seconds(10), context: bench.context())
      let address = try await Detection(settings, client: client).address()
      #expect(address.generation == generation)
      let sent = bench.transport.requests
      #expect(sent.allSatisfy { $0.method == "GET" && !$0.url.contains("?") })
      #expect(sent.map(\.path).contains { $0.contains("commands") } == false)
    }
  }

  @Test("Where neither answers as a hub does, it says so and is tried again")
  func nowhere() async throws {
    let bench = TestBench { (_, _) async throws(NetworkError) in
      HTTPResponse(status: 200, body: Array("<html>hello</html>".utf8))
    }
    let client = HubClient(token: Secret("t"), timeout: .seconds(10), context: bench.context())
    let settings = settings(["server_url": .string("http://hub.test/hub/")])
    await #expect(throws: BackendFailure.self) {
      _ = try await Detection(settings, client: client).address()
    }
    #expect(bench.transport.requests.count == 2)
  }
}
