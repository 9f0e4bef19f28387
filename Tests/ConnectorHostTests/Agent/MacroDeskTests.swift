import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Macros: what a call counts for") struct MacroDeskTests {
  let time = ManualTime()
  static let all = Set(MacroGrant.allCases)

  func verdict(
    _ method: MacroMethod, _ params: JSONValue, granted: Set<MacroGrant> = all
  ) -> MacroDesk.Verdict {
    var desk = MacroDesk()
    return desk.take(method, params, granted: granted, at: time.now)
  }

  static let calls: [(MacroMethod, JSONValue, MacroCall)] = [
    (MacroMethod.notify, ["text": "done"] as JSONValue, MacroCall.notify("done")),
    (.notify, ["text": 42], .notify("42")),
    (.notify, ["text": "  two\n lines\t\u{1B}[2J\u{202E}x\0 "], .notify("two lines [2J x")),
    (.bedCleared, .null, .bedCleared),
    (.bedCleared, ["anything": [1, 2]], .bedCleared),
    (.enable, ["backend": "reach"], .setEnabled(true, backend: "reach")),
    (.disable, ["backend": "my.hub-2"], .setEnabled(false, backend: "my.hub-2")),
  ]

  @Test("each call says what it says", arguments: calls)
  func decoded(method: MacroMethod, params: JSONValue, call: MacroCall) {
    #expect(verdict(method, params) == .perform(call))
  }

  static let mistakes: [(MacroMethod, JSONValue)] = [
    (MacroMethod.notify, JSONValue.null), (.notify, []), (.notify, "text"), (.notify, [:]),
    (.notify, ["text": .null]), (.notify, ["text": true]), (.notify, ["text": ["a"]]),
    (.notify, ["text": ["text": "a"]]), (.notify, ["text": " \n\u{7} "]), (.notify, ["text": ""]),
    (.enable, [:]), (.enable, ["backend": 7]), (.disable, ["backend": ""]),
    (.disable, ["backend": "a\nb"]),
    (.disable, ["backend": .string(String(repeating: "x", count: 65))]),
  ]

  @Test("what is none is refused with what is missing", arguments: mistakes)
  func refused(method: MacroMethod, params: JSONValue) {
    guard case .refuse(let why) = verdict(method, params) else {
      Issue.record("it counts")
      return
    }
    #expect(!why.isEmpty && why.utf8.count < 100)
  }

  @Test("nothing but a message counts unless the file grants it", arguments: MacroMethod.allCases)
  func granted(method: MacroMethod) {
    let params: JSONValue = ["text": "a", "backend": "b"]
    let granted = Set(MacroGrant.byDefault)
    guard case .perform = verdict(method, params, granted: granted) else {
      #expect(method != .notify)
      guard case .refuse(let why) = verdict(method, params, granted: granted) else { return }
      #expect(why.contains("control.macros") && why.contains(method.grant.rawValue))
      return
    }
    #expect(method == .notify)
    #expect(verdict(method, params, granted: []) != .perform(.notify("a")))
  }

  @Test("a megabyte becomes a line of at most 200 characters")
  func long() throws {
    let text = String(repeating: "é🚤\n", count: 200_000)
    guard case .perform(.notify(let line)) = verdict(.notify, ["text": .string(text)]) else {
      Issue.record("refused")
      return
    }
    #expect(line.unicodeScalars.count <= PrinterMessage.length)
    #expect(line.hasSuffix("…"))
    #expect(!line.contains("\n"))
    let blanks = String(repeating: "\u{0}", count: 1_000_000)
    #expect(verdict(.notify, ["text": .string(blanks)]) == .refuse("its text is empty"))
  }

  @Test("the same words within ten seconds are one message, and six a minute are enough")
  func rate() {
    var desk = MacroDesk()
    func say(_ text: String) -> MacroDesk.Verdict {
      desk.take(.notify, ["text": .string(text)], granted: Self.all, at: time.now)
    }
    #expect(say("a") == .perform(.notify("a")))
    #expect(say("a") == .ignore)
    time.advance(by: MacroDesk.repetition)
    #expect(say("a") == .perform(.notify("a")))
    for text in ["b", "c", "d", "e"] { #expect(say(text) == .perform(.notify(text))) }
    #expect(say("f") == .refuse("it comes more than 6 times a minute"))
    time.advance(by: .seconds(49))
    #expect(say("f") != .perform(.notify("f")))
    time.advance(by: .seconds(1))
    #expect(say("f") == .perform(.notify("f")), "the first is a minute ago")
  }

  @Test("orders are counted apart from messages, each for itself")
  func orders() {
    var desk = MacroDesk()
    func order(_ method: MacroMethod) -> MacroDesk.Verdict {
      desk.take(method, ["backend": "a"], granted: Self.all, at: time.now)
    }
    for _ in 0..<MacroDesk.orderLimit { #expect(order(.bedCleared) == .perform(.bedCleared)) }
    #expect(order(.bedCleared) == .refuse("it comes more than 12 times a minute"))
    #expect(order(.disable) == .perform(.setEnabled(false, backend: "a")))
  }

  @Test("a macro that is wrong all night is told a few times")
  func told() {
    var desk = MacroDesk()
    var told = 0
    for _ in 0..<1_000 {
      if desk.take(.notify, .null, granted: Self.all, at: time.now) != .ignore { told += 1 }
    }
    #expect(told == 10)
  }
}
