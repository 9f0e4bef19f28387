import ConnectorKit
import Networking
import Testing

@Suite("A cloud's server") struct CloudServerTests {
  @Test(
    "Only the very server that the owner has configured may lie in the house, on no other port and never on Moonraker's",
    arguments: [
      ("https://cloud.test", "https://cloud.test/f.gcode", true),
      ("https://cloud.test", "http://cloud.test:7125/printer/gcode/script?script=M104", false),
      ("https://cloud.test", "https://cloud.test:7130/", false),
      ("https://cloud.test", "http://cloud.test/", false),
      ("https://cloud.test", "https://files.test/", false),
      ("http://127.0.0.1:9000", "http://127.0.0.1:9000/f.gcode", true),
      ("http://127.0.0.1:9000", "http://127.0.0.1/f.gcode", false),
      ("http://127.0.0.1:7125", "http://127.0.0.1:7125/printer/gcode/script", false),
    ])
  func ownServer(server: String, url: String, mayBeInTheHouse: Bool) throws {
    let server = try #require(CloudServer(server))
    let moonraker = "http://127.0.0.1:7125"
    #expect(server.isItself(url, moonraker: moonraker) == mayBeInTheHouse)
    #expect(
      server.addresses(for: url, moonraker: moonraker)
        == .publicOnly(except: mayBeInTheHouse ? [server.host] : []))
  }

  @Test(
    "What is no address of HTTP, or carries a password, is no server",
    arguments: ["", "x", "ftp://cloud.test", "https://user:pw@cloud.test", "https://"])
  func noServer(_ url: String) {
    #expect(CloudServer(url) == nil)
  }
}
