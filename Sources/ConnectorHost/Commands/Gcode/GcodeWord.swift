/// The command word of a line: `G1` of `G1X10`, `SET_LED` of `SET_LED LED=case`; in upper case.
struct GcodeWord: Sendable, Hashable {
  /// The word in upper case.
  let text: String
  /// The letter and the number of a classic code (`G28`, `M104`, `G92.1`); nil for an extended command.
  let classic: Classic?

  /// A letter with a number.
  struct Classic: Sendable, Hashable {
    var letter: Character
    /// The number's whole part; `M0104` has 104 too.
    var number: Int
    /// Whether it has a fraction, as `G92.1` has.
    var hasFraction: Bool
  }

  /// Whether it is a classic code.
  var isClassic: Bool { classic != nil }

  /// Splits a line that has neither comment nor line number into its word and the rest.
  ///
  /// - Returns: nil where the line begins with what is neither a classic code nor a name.
  static func split(_ line: Substring) -> (word: GcodeWord, rest: Substring)? {
    let bytes = line.utf8
    guard let first = bytes.first, isLetter(first) || first == UInt8(ascii: "_") else {
      return nil
    }
    var end = bytes.index(after: bytes.startIndex)
    if isLetter(first), end < bytes.endIndex, isDigit(bytes[end]) {
      func skipDigits() {
        while end < bytes.endIndex, isDigit(bytes[end]) { bytes.formIndex(after: &end) }
      }
      skipDigits()
      let wholeEnd = end
      if end < bytes.endIndex, bytes[end] == UInt8(ascii: ".") {
        let dot = end
        bytes.formIndex(after: &end)
        let digits = end
        skipDigits()
        if digits == end { end = dot }
      }
      let digits = line[bytes.index(after: bytes.startIndex)..<wholeEnd]
      guard let number = Int(digits) else { return nil }
      let text = line[..<end].uppercased()
      let classic = Classic(
        letter: text.first ?? "?", number: number, hasFraction: end != wholeEnd)
      return (GcodeWord(text: text, classic: classic), line[end...])
    }
    while end < bytes.endIndex,
      isLetter(bytes[end]) || isDigit(bytes[end]) || bytes[end] == UInt8(ascii: "_")
    {
      bytes.formIndex(after: &end)
    }
    // The word ends at a blank: with anything else behind it Klipper would read another one than we do. Of a single
    // letter it makes a code with what stands behind the blank: `M 112` stops.
    let isEnded =
      end == bytes.endIndex || bytes[end] == UInt8(ascii: " ") || bytes[end] == UInt8(ascii: "\t")
    guard isEnded, bytes.index(after: bytes.startIndex) != end else { return nil }
    return (GcodeWord(text: line[..<end].uppercased(), classic: nil), line[end...])
  }

  /// The word of a macro's name.
  init(macro name: String) { self.init(text: name.uppercased(), classic: nil) }

  private init(text: String, classic: Classic?) {
    self.text = text
    self.classic = classic
  }

  static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF)
  }
  static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
