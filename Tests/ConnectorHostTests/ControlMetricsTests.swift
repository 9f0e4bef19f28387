import ConnectorKit
import Platform
import Testing

@testable import ConnectorHost

@Suite("Metrics") struct ControlMetricsTests {
  @Test("Every metric has its help and type, and the values are right")
  func values() {
    let text = MetricsText(
      sampleView(backends: [sampleBackend("a", .online), sampleBackend("b", .disabled)])
    ).text
    let lines = text.split(separator: "\n")
    for expected in [
      "printer_uplink_info{version=\"\(Product.version)\"} 1",
      "printer_uplink_uptime_seconds 6000", "printer_uplink_moonraker_connected 1",
      "printer_uplink_moonraker_silence_seconds 0.12", "printer_uplink_klippy_ready 1",
      "printer_uplink_status_updates_total 812", "printer_uplink_reload_failed 0",
      "printer_uplink_backend_state{backend=\"a\",type=\"reach\",state=\"online\"} 1",
      "printer_uplink_backend_state{backend=\"a\",type=\"reach\",state=\"parked\"} 0",
      "printer_uplink_backend_state{backend=\"b\",type=\"reach\",state=\"disabled\"} 1",
      "printer_uplink_backend_restarts_total{backend=\"b\",type=\"reach\"} 3",
      "# TYPE printer_uplink_backend_restarts_total counter",
      "# TYPE printer_uplink_klippy_ready gauge",
    ] {
      #expect(lines.contains { $0 == expected }, "\(expected)")
    }
    let names = Set(
      lines.filter { !$0.hasPrefix("#") }.map { $0.prefix { $0 != "{" && $0 != " " } })
    for name in names {
      #expect(lines.count { $0.hasPrefix("# HELP \(name) ") } == 1)
      #expect(lines.count { $0.hasPrefix("# TYPE \(name) ") } == 1)
    }
    #expect(text.hasSuffix("\n"))
  }

  @Test(
    "One state of a backend is 1, whichever it is",
    arguments: [
      BackendState.disabled, .starting, .online, .degraded(problem: "x", remedy: ""),
      .backingOff(problem: "x", until: MonotonicInstant(sinceOrigin: .zero)),
      .parked(problem: "x", remedy: ""), .stopped,
    ])
  func oneState(_ state: BackendState) {
    let lines = MetricsText(sampleView(backends: [sampleBackend("a", state)])).text
      .split(separator: "\n").filter { $0.hasPrefix("printer_uplink_backend_state{") }
    #expect(lines.count == 7)
    #expect(lines.filter { $0.hasSuffix(" 1") }.count == 1)
    #expect(lines.contains { $0.contains("state=\"\(state.name)\"") && $0.hasSuffix(" 1") })
  }

  @Test("Without backends and without Moonraker there are no empty families")
  func empty() {
    let text = MetricsText(sampleView { $0.link = .away(since: $0.updatedAt) }).text
    #expect(!text.contains("backend"))
    #expect(text.contains("printer_uplink_moonraker_connected 0\n"))
    #expect(text.contains("printer_uplink_klippy_ready 0\n"))
  }

  @Test("A hostile name stays inside its label")
  func hostile() {
    let text = MetricsText(sampleView(backends: [sampleBackend(hostileText, .online)])).text
    for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      #expect(line.hasPrefix("printer_uplink_"))
      #expect(line.last?.isNumber == true)
    }
    #expect(text.contains("\\\"'&\\\\\\n"))
  }
}
