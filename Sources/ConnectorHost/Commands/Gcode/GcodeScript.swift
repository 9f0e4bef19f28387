internal import ConnectorKit

/// Lines of G-code that have been read and cleaned: what is judged is what is sent.
struct GcodeScript: Sendable {
  /// One command of it.
  struct Line: Sendable {
    var word: GcodeWord
    var effect: GcodeEffect
    /// As it is sent: without comment, line number and checksum.
    var text: String
  }
  /// The most commands.
  static let maximumLines = 50
  /// The most bytes.
  static let maximumBytes = 4_096

  /// The commands; comments and empty lines are left out.
  let lines: [Line]

  /// What is sent.
  var text: String { lines.map(\.text).joined(separator: "\n") }

  /// Reads a script.
  ///
  /// - Throws: `CommandFailure` (`invalid`) that names the line, in the counting of people.
  init(_ script: String) throws(CommandFailure) {
    guard script.utf8.count <= Self.maximumBytes else {
      throw CommandFailure(.invalid, "more than \(Self.maximumBytes) bytes of G-code")
    }
    var lines: [Line] = []
    var number = 0
    for raw in script.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard let line = try Self.line(Substring(raw), number: number) else { continue }
      lines.append(line)
    }
    guard !lines.isEmpty else { throw CommandFailure(.invalid, "no command in the G-code") }
    guard lines.count <= Self.maximumLines else {
      throw CommandFailure(.invalid, "more than \(Self.maximumLines) lines of G-code")
    }
    self.lines = lines
  }

  private static func line(_ whole: Substring, number: Int) throws(CommandFailure) -> Line? {
    let raw = whole.utf8.last == UInt8(ascii: "\r") ? Substring(whole.utf8.dropLast()) : whole
    guard
      raw.unicodeScalars.allSatisfy({
        $0 == "\t"
          || ($0.value >= 0x20 && $0.value != 0x7F && !(0x80...0x9F).contains($0.value)
            && $0.value != 0x2028 && $0.value != 0x2029)
      })
    else {
      throw CommandFailure(.invalid, "line \(number) of the G-code holds a control character")
    }
    var text = trimmed(raw.prefix { $0 != ";" })
    text = trimmed(withoutNumber(text))
    text = trimmed(withoutChecksum(text))
    guard !text.isEmpty else { return nil }
    guard let (word, rest) = GcodeWord.split(text) else {
      throw CommandFailure(.invalid, "line \(number) of the G-code does not begin with a command")
    }
    guard word.classic?.letter != "N" else {
      throw CommandFailure(.invalid, "line \(number) of the G-code has two line numbers")
    }
    // Klipper makes upper case of what it reads, and some letters of other scripts become S or I by that.
    let isText = word.text == "M117" || word.text == "M118"
    guard isText || text.utf8.allSatisfy({ $0 < 0x80 }) else {
      throw CommandFailure(.invalid, "line \(number) of the G-code is not plain ASCII")
    }
    let arguments = GcodeArguments(rest)
    let effect = GcodeEffect.of(word, arguments)
    let sent = effect == .home ? homing(text, arguments) : String(text)
    return Line(word: word, effect: effect, text: sent)
  }

  /// `G28 XY` would home all axes: Klipper looks for an X of its own. What holds more than axes is left as it is.
  private static func homing(_ text: Substring, _ arguments: GcodeArguments) -> String {
    let axes = arguments.axes
    return axes.isEmpty ? String(text) : "G28 " + axes.joined(separator: " ")
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while text.first == " " || text.first == "\t" { text.removeFirst() }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }

  /// Without a leading `N10`.
  private static func withoutNumber(_ text: Substring) -> Substring {
    guard text.first == "N" || text.first == "n" else { return text }
    let rest = text.dropFirst()
    let afterDigits = rest.drop { ("0"..."9").contains($0) }
    return afterDigits.startIndex == rest.startIndex ? text : afterDigits
  }

  /// Without a trailing `*71`.
  private static func withoutChecksum(_ text: Substring) -> Substring {
    guard let star = text.lastIndex(of: "*") else { return text }
    let digits = text[text.index(after: star)...]
    guard !digits.isEmpty, digits.allSatisfy({ ("0"..."9").contains($0) }) else { return text }
    return text[..<star]
  }
}
