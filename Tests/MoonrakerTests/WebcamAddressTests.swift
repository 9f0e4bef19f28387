import Moonraker
import Testing

@Suite("A camera's address") struct WebcamAddressTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var text: String
    var host = "127.0.0.1"
    var port = 80
    var expected: String?
    var testDescription: String { "\(text) at \(host):\(port)" }
  }

  @Test(
    "leads where the owner meant",
    arguments: [
      Row(text: "/webcam/?action=snapshot", expected: "http://127.0.0.1/webcam/?action=snapshot"),
      Row(text: "webcam/?action=snapshot", expected: "http://127.0.0.1/webcam/?action=snapshot"),
      Row(
        text: "/?action=snapshot", host: "voron.local", port: 8080,
        expected: "http://voron.local:8080/?action=snapshot"),
      Row(text: "/snap?of=http://x", expected: "http://127.0.0.1/snap?of=http://x"),
      Row(text: "/w", host: "fd00::7", expected: "http://[fd00::7]/w"),
      Row(text: "/w", host: "fe80::1%eth0", port: 81, expected: "http://[fe80::1%25eth0]:81/w"),
      Row(text: "//cam.lan/x", expected: "http://cam.lan/x"),
      Row(text: "http://cam.lan:8080/?a#b", expected: "http://cam.lan:8080/?a#b"),
      Row(text: "https://u:p%40@cam.lan/x", host: "10.0.0.9", expected: "https://u:p%40@cam.lan/x"),
      Row(text: "http://localhost:8080/x", expected: "http://localhost:8080/x"),
      Row(
        text: "http://localhost:8080/x?y=localhost", host: "10.0.0.9",
        expected: "http://10.0.0.9:8080/x?y=localhost"),
      Row(
        text: "HTTP://u:localhost@127.0.1.1?x", host: "fd00::7",
        expected: "HTTP://u:localhost@[fd00::7]?x"),
      Row(text: "http://[::1]:1984/api", host: "10.0.0.9", expected: "http://10.0.0.9:1984/api"),
      Row(text: "http://[::1]:1984/api", host: "::1", expected: "http://[::1]:1984/api"),
      Row(text: "http://printer.local/x", host: "10.0.0.9", expected: "http://printer.local/x"),
      Row(text: "", expected: nil),
      Row(text: "rtsp://cam.lan/stream", expected: nil),
      Row(text: "file:///etc/passwd", expected: nil),
      Row(text: "http://", expected: nil),
      Row(text: "/a\u{0}b", expected: nil),
    ])
  func resolved(row: Row) {
    #expect(
      WebcamAddress.absolute(row.text, host: row.host, page: .port(row.port)) == row.expected)
  }

  @Test(
    "starts from the host of Moonraker's own address",
    arguments: [
      ("http://voron.local:7125", "voron.local"), ("https://[fd00::7]/prefix", "fd00::7"),
      ("unix:/run/moonraker.sock", "127.0.0.1"),
    ])
  func host(address: String, host: String) {
    #expect(MoonrakerAddress(address)?.host == host)
  }
}
