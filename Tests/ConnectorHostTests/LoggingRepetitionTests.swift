import ConnectorKit
import Platform
import Testing

@testable import ConnectorHost

@Suite("Lines that come again and again") struct LoggingRepetitionTests {
  private let start = MonotonicInstant(sinceOrigin: .seconds(100))
  private let wallTime = WallTime(millisecondsSinceEpoch: 1_795_252_134_000)

  /// The value in a class: the macros of the tests look at no call that changes a variable.
  private final class Ledger {
    var repetitions = LogRepetitions()
    func takes(_ line: LogLine, at now: MonotonicInstant) -> Bool {
      repetitions.takes(line, at: now)
    }
    func due(at now: MonotonicInstant, wallTime: WallTime, all: Bool = false) -> [LogLine] {
      repetitions.due(at: now, wallTime: wallTime, all: all)
    }
    var nextDue: MonotonicInstant? { repetitions.nextDue }
  }

  private func line(
    _ message: String, _ level: LogLevel = .warning, label: String = "reach", after seconds: Int = 0
  ) -> LogLine {
    LogLine(
      time: wallTime.advanced(by: .seconds(seconds)), level: level, label: label, message: message)
  }

  /// What is written of a text that comes at each of these seconds, the summaries with it.
  private func written(_ message: String, at seconds: some Sequence<Int>) -> [String] {
    let repetitions = Ledger()
    var written: [String] = []
    for second in seconds {
      let now = start.advanced(by: .seconds(second))
      let due = repetitions.due(at: now, wallTime: wallTime.advanced(by: .seconds(second)))
      written += due.map(\.message)
      if repetitions.takes(line(message, after: second), at: now) { written.append(message) }
    }
    return written
  }

  @Test("Four are written, what follows is one line every ten minutes")
  func flapping() {
    let lines = written("no route", at: stride(from: 0, to: 3_600, by: 30))
    #expect(lines.count == 4 + 6)
    #expect(lines.prefix(4).allSatisfy { $0 == "no route" })
    let since = wallTime.advanced(by: .seconds(120)).localStamp.dropFirst(11).prefix(8)
    #expect(lines.dropFirst(4).first == "no route (16 more times since \(since))")
    #expect(lines.dropFirst(5).allSatisfy { $0.hasPrefix("no route (19 more times since ") })
  }

  @Test("After ten minutes without it, it is news again")
  func newsAgain() {
    let first = stride(from: 0, to: 180, by: 30)
    let lines = written("no route", at: Array(first) + [1_300, 1_301, 1_302, 1_303, 1_304])
    #expect(lines.count == 4 + 1 + 4)
    #expect(lines.filter { $0 == "no route" }.count == 8)
    #expect(written("rare", at: stride(from: 0, to: 36_000, by: 200)).count == 180)
    #expect(written("rare", at: stride(from: 0, to: 36_000, by: 700)).count == 52)
  }

  @Test(
    "The count of who counts by itself makes no other text",
    arguments: [
      ("away", "away (2 times)", false), ("away; wait", "away (16 times); wait", false),
      ("away", "away (x times)", true), ("away", "away(2 times)", true), ("a", "b", true),
      ("away", "away ( times)", false), ("käse", "käse (4 times)", false),
    ])
  func counts(_ one: String, _ other: String, _ isAnother: Bool) {
    let repetitions = Ledger()
    for _ in 0..<4 { #expect(repetitions.takes(line(one), at: start)) }
    #expect(!repetitions.takes(line(one), at: start))
    #expect(repetitions.takes(line(other), at: start) == isAnother)
  }

  @Test(
    "Another level and another label are told apart; calls at debug and the host are not counted")
  func toldApart() {
    let repetitions = Ledger()
    for _ in 0..<4 { #expect(repetitions.takes(line("x"), at: start)) }
    #expect(!repetitions.takes(line("x"), at: start))
    #expect(repetitions.takes(line("x", .info), at: start))
    #expect(repetitions.takes(line("x", label: "polar"), at: start))
    for _ in 0..<10 { #expect(repetitions.takes(line("x", .debug), at: start)) }
    for _ in 0..<10 { #expect(repetitions.takes(line("reloaded", label: "host"), at: start)) }
  }

  @Test("Texts without end are all written, and none of them is kept")
  func bounded() {
    let repetitions = Ledger()
    for number in 0..<1_000 { #expect(repetitions.takes(line("\(number)"), at: start)) }
    for _ in 0..<10 { #expect(repetitions.takes(line("999"), at: start)) }
    for _ in 0..<3 { #expect(repetitions.takes(line("0"), at: start)) }
    #expect(!repetitions.takes(line("0"), at: start))
    // Once those of before are over there is room again.
    let later = start.advanced(by: LogRepetitions.window)
    _ = repetitions.due(at: later, wallTime: wallTime)
    for _ in 0..<4 { #expect(repetitions.takes(line("new"), at: later)) }
    #expect(!repetitions.takes(line("new"), at: later))
  }

  @Test("What is held back is due ten minutes after the first line, or when all is asked for")
  func dueness() {
    let repetitions = Ledger()
    #expect(repetitions.nextDue == nil)
    for _ in 0..<4 { #expect(repetitions.takes(line("x"), at: start)) }
    #expect(repetitions.nextDue == nil)
    #expect(!repetitions.takes(line("x"), at: start))
    #expect(repetitions.nextDue == start.advanced(by: LogRepetitions.window))
    #expect(repetitions.due(at: start, wallTime: wallTime).isEmpty)
    let all = repetitions.due(at: start, wallTime: wallTime, all: true)
    #expect(
      all.map(\.message) == ["x (once more at \(wallTime.localStamp.dropFirst(11).prefix(8)))"])
    #expect(repetitions.nextDue == nil)
  }
}
