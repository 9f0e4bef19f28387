import Moonraker
import Testing

@Suite("Moonraker's address") struct EndpointTests {
  @Test(
    "the WebSocket stands below the route prefix",
    arguments: [
      ("http://127.0.0.1:7125", "ws://127.0.0.1:7125/websocket"),
      ("http://printer.local", "ws://printer.local/websocket"),
      ("https://printer.local:7130", "wss://printer.local:7130/websocket"),
      ("http://host/moon/raker", "ws://host/moon/raker/websocket"),
      ("HTTPS://[::1]:7130/p/", "wss://[::1]:7130/p/websocket"),
    ])
  func webSocket(address: String, url: String) {
    #expect(MoonrakerAddress.http(address).endpoint == .webSocket(url))
  }

  @Test("a Unix socket is its path") func unixSocket() {
    let address = MoonrakerAddress.unixSocket("/home/pi/printer_data/comms/moonraker.sock")
    #expect(
      address.endpoint == .unixSocket("/home/pi/printer_data/comms/moonraker.sock"))
    #expect(address.display == "unix:/home/pi/printer_data/comms/moonraker.sock")
  }
}
