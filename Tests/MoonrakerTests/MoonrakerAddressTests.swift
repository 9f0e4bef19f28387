import Moonraker
import Testing

@Suite("Moonraker: addresses") struct MoonrakerAddressTests {
  @Test(
    "An address is http, https or a socket's path",
    arguments: [
      ("http://127.0.0.1:7125", .http("http://127.0.0.1:7125")),
      ("http://Printer.LAN", .http("http://printer.lan")),
      ("http://printer.lan:80/", .http("http://printer.lan")),
      ("https://printer.lan/one/two/", .http("https://printer.lan/one/two")),
      ("http://[::1]:7125", .http("http://[::1]:7125")),
      ("unix:/run/moonraker.sock", .unixSocket("/run/moonraker.sock")),
      ("unix:///run/moonraker.sock", .unixSocket("/run/moonraker.sock")),
    ] as [(String, MoonrakerAddress)])
  func reads(text: String, expected: MoonrakerAddress) {
    #expect(MoonrakerAddress(text) == expected)
  }

  @Test(
    "Anything else is refused",
    arguments: [
      "", "127.0.0.1:7125", "ws://127.0.0.1:7125", "ftp://x", "http://", "unix:", "unix:/",
      "unix:run/m.sock", "unix://host/m.sock", "http://x/?a=b", "http://x/#a", "http://u:p@x",
      "unix:/" + String(repeating: "x", count: 108), "http://x:99999",
    ])
  func refuses(text: String) { #expect(MoonrakerAddress(text) == nil) }
}
