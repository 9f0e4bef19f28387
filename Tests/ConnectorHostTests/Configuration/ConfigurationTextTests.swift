import HTTPServer
import Testing

@testable import ConnectorHost

@Suite("Configuration: small texts") struct ConfigurationTextTests {
  @Test(
    "A time is a number of seconds or has a unit",
    arguments: [
      ("30", .seconds(30)), ("30s", .seconds(30)), ("5m", .seconds(300)), ("1h", .seconds(3_600)),
      ("500ms", .milliseconds(500)), ("0.5", .milliseconds(500)), ("1.5h", .seconds(5_400)),
      ("0", .zero), ("", nil), ("s", nil), ("1d", nil), ("1 s", nil), ("+1", nil), ("-1", nil),
      ("1e3", nil), ("0x10", nil), (".5", nil), ("5.", nil), ("1.2.3", nil), ("inf", nil),
      ("nan", nil), ("٣", nil), ("9999999999999999999h", nil), ("999999999999999999999", nil),
    ] as [(String, Duration?)])
  func times(text: String, expected: Duration?) {
    #expect(DurationText.parse(text) == expected)
  }

  @Test(
    "A time is shown in the largest unit without a fraction",
    arguments: [
      (.zero, "0s"), (.milliseconds(500), "500ms"), (.milliseconds(1_500), "1500ms"),
      (.seconds(1), "1s"), (.seconds(90), "90s"), (.seconds(300), "5m"), (.seconds(3_600), "1h"),
      (.seconds(86_400), "24h"),
    ] as [(Duration, String)])
  func shownTimes(duration: Duration, expected: String) {
    #expect(DurationText.describe(duration) == expected)
  }

  @Test(
    "The nearest name is found, and none where nothing is near",
    arguments: [
      ("heartbeat_second", "heartbeat_seconds"), ("Heartbeat-Seconds", "heartbeat_seconds"),
      ("hearbteat_seconds", "heartbeat_seconds"), ("rely", "relay"), ("realy", "relay"),
      ("heartbeat", "heartbeat_seconds"), ("x", nil), ("", nil), ("seconds", nil),
      ("completely_else", nil), ("relayrelayrelay", nil),
    ] as [(String, String?)])
  func nearest(name: String, expected: String?) {
    let known = ["relay", "heartbeat_seconds", "push_snapshots_seconds", "name"]
    #expect(NearestName.of(name, among: known) == expected)
  }

  @Test("A swap of neighbours counts once")
  func distances() {
    func distance(_ left: String, _ right: String) -> Int {
      NearestName.distance(Array(left.utf8), Array(right.utf8))
    }
    #expect(distance("", "") == 0)
    #expect(distance("abc", "") == 3)
    #expect(distance("", "abc") == 3)
    #expect(distance("kitten", "sitting") == 3)
    #expect(distance("ab", "ba") == 1)
    #expect(distance("abcd", "acbd") == 1)
  }

  @Test(
    "An address to listen on is numeric and has a port",
    arguments: [
      ("127.0.0.1:7180", HTTPServer.Address(host: "127.0.0.1", port: 7180)),
      ("localhost:80", HTTPServer.Address(host: "127.0.0.1", port: 80)),
      ("[::1]:0", HTTPServer.Address(host: "::1", port: 0)),
      ("0.0.0.0:65535", HTTPServer.Address(host: "0.0.0.0", port: 65_535)),
      ("[::]:1", HTTPServer.Address(host: "::", port: 1)),
    ])
  func listens(text: String, expected: HTTPServer.Address) {
    #expect(ListenAddress(text)?.address == expected)
  }

  @Test(
    "Anything else is no address to listen on",
    arguments: [
      "", "7180", ":7180", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80",
      "[127.0.0.1]:80", "printer.lan:80", "256.0.0.1:80", "1.2.3:80", "[::g]:80", "*:80",
      "127.0.0.1:+5", "OFF",
    ])
  func listensNot(text: String) { #expect(ListenAddress(text) == nil) }

  @Test("off is no address, on purpose")
  func listensOff() {
    #expect(ListenAddress("off") != nil)
    #expect(ListenAddress("off")?.address == nil)
  }

  @Test("References are split from the text around them")
  func references() throws {
    #expect(try Interpolation.parts(of: "") == [.literal("")])
    #expect(
      try Interpolation.parts(of: "a${env:B}c${file:/d e}")
        == [.literal("a"), .environment("B"), .literal("c"), .file("/d e")])
    #expect(try Interpolation.parts(of: "$${env:B}$") == [.literal("${env:B}$")])
    #expect(throws: Interpolation.Failure.unclosed) { try Interpolation.parts(of: "${env:A") }
    for text in ["${}", "${env:}", "${env:A-B}", "${file:}", "${A}", "${env:${env:A}}"] {
      #expect(throws: Interpolation.Failure.self) { try Interpolation.parts(of: text) }
    }
  }

  @Test(
    "Moonraker's folder of configurations is recognized",
    arguments: [
      ("/home/pi/printer_data/config", true), ("/home/pi/printer_data/config/x/y", true),
      ("/home/pi/printer_1_data/config/a", true), ("/a/printer_data/./x/../config", true),
      ("/home/pi/printer_data/logs", false), ("/etc/printer-uplink", false), ("", false),
      ("/a/printer_data/config/../logs", false),
    ])
  func printerData(path: String, expected: Bool) { #expect(PrinterData.holds(path) == expected) }
}
