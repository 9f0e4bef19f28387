import ConnectorKit
import Platform
import Testing

@testable import ConnectorHost

@Suite("A log line") struct LoggingLineTests {
  private func line(
    _ message: String, _ level: LogLevel = .info, label: String = "reach"
  ) -> LogLine {
    LogLine(
      time: WallTime(millisecondsSinceEpoch: 1_795_252_134_123), level: level, label: label,
      message: message)
  }

  @Test("Stamp, level, label and text stand in columns")
  func plain() {
    let time = WallTime(millisecondsSinceEpoch: 1_795_252_134_123)
    #expect(line("paired").plain == "\(time.localStamp) INFO  reach: paired\n")
    #expect(time.localStamp.count == "2026-11-21 09:08:54.123".count)
    #expect(line("paired").plain.hasSuffix(" INFO  reach: paired\n"))
    #expect(line("late", .warning).plain.hasSuffix(" WARN  reach: late\n"))
  }

  @Test(
    "The journal gets a priority and no stamp",
    arguments: zip(
      LogLevel.allCases, ["<7>", "<7>", "<6>", "<4>", "<3>", "<2>"]))
  func journal(_ level: LogLevel, _ priority: String) {
    #expect(line("x", level).journal == "\(priority)reach: x\n")
  }

  @Test("A terminal gets colours that end where they should")
  func coloured() {
    let text = line("x", .error).coloured
    #expect(text.contains("\u{1B}[31mERROR\u{1B}[0m reach: x\n"))
  }

  @Test(
    "What could forge a line or steer a terminal is escaped",
    arguments: [
      ("a\nb", "a\\nb"), ("a\r\nb", "a\\r\\nb"), ("tab\there", "tab\\there"),
      ("\u{1B}[2J", "\\u{1b}[2J"), ("\0", "\\u{0}"), ("\u{9B}x", "\\u{9b}x"),
      ("\u{202E}gpj.exe", "\\u{202e}gpj.exe"), ("\u{2028}", "\\u{2028}"), ("\u{7F}", "\\u{7f}"),
      ("Benchy 🚤 größer", "Benchy 🚤 größer"), ("back\\slash", "back\\slash"),
    ])
  func escaping(_ text: String, _ expected: String) {
    #expect(line(text).journal == "<6>reach: \(expected)\n")
    #expect(line("x", label: text).journal == "<6>\(expected): x\n")
  }

  @Test("A very long message is cut")
  func long() {
    let text = line(String(repeating: "ä", count: 100_000)).journal
    #expect(text.utf8.count < 8_300)
    #expect(text.hasSuffix("…\n"))
  }
}
