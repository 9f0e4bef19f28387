internal import Platform

/// Moonraker's words as people and clouds may read them.
package enum MoonrakerMessage {
  /// The most characters that are left.
  package static let limit = 500

  /// One line of `text`, at most 500 characters: of a Python traceback its last line, of anything else all lines
  /// joined; control characters gone, and of absolute paths only the last component.
  package static func forPeople(_ text: String) -> String {
    let lines = text.unicodeScalars.split { $0 == "\n" || $0 == "\r" }
      .map { line in
        words(of: line).map(withoutFolders).joined(separator: " ")
      }
      .filter { !$0.isEmpty }
    let chosen =
      text.contains(text: "Traceback (most recent call last)")
      ? lines.suffix(1).joined() : lines.joined(separator: " ")
    return String(chosen.prefix(limit))
  }

  /// What Moonraker's HTTP errors keep for the end of their trace: `… HTTP 400: Bad Request (reason)`.
  ///
  /// - Returns: the reason; nil where the last line is not of that form.
  package static func reason(inTrace trace: String) -> String? {
    guard let line = trace.utf8.split(whereSeparator: { $0 == 10 || $0 == 13 }).last,
      line.last == UInt8(ascii: ")"), let text = String(line),
      let status = text.firstRange(ofText: "HTTP "),
      let open = text[status.upperBound...].firstRange(ofText: " (")
    else { return nil }
    return String(text[open.upperBound...].dropLast())
  }

  private static func words(of line: String.UnicodeScalarView.SubSequence) -> [String] {
    line.split { $0.value <= 0x20 || (0x7F...0xA0).contains($0.value) || isInvisible($0) }
      .map { String(String.UnicodeScalarView($0)) }
  }

  /// Marks that break lines or turn the writing direction.
  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// The word with `/home/pi/printer_data/gcodes/cube.gcode` as `cube.gcode`; quotes and brackets around it stay.
  private static func withoutFolders(_ word: String) -> String {
    let openers = Array("\"'`([<{".utf8)
    let isOpener = { (byte: UInt8) in openers.contains(byte) }
    guard let start = word.utf8.firstIndex(where: { !isOpener($0) }),
      word.utf8[start] == UInt8(ascii: "/"),
      let last = word.utf8.lastIndex(of: UInt8(ascii: "/")), last != start
    else { return word }
    return "\(word[..<start])\(word[word.utf8.index(after: last)...])"
  }
}
