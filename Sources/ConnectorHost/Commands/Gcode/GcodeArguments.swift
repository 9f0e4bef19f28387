/// What follows a command word, read as Klipper reads it.
struct GcodeArguments: Sendable {
  /// The text in upper case.
  private let text: String

  init(_ text: Substring) { self.text = text.uppercased() }

  /// The number behind a letter of a classic code: `S210`, `S 210`; nil where the letter is missing. What is there and is no
  /// number is `nan`; of several the largest counts, since firmwares differ in which one they take.
  func letter(_ letter: Character) -> Double? {
    var found: Double?
    var index = text.startIndex
    while index < text.endIndex {
      let character = text[index]
      text.formIndex(after: &index)
      guard character.isASCII, character.isLetter || character == "_" else { continue }
      var end = index
      while end < text.endIndex, !(text[end].isLetter || text[end] == "_") {
        text.formIndex(after: &end)
      }
      if character == letter {
        var value = text[index..<end]
        while value.first == " " || value.first == "\t" { value.removeFirst() }
        while value.last == " " || value.last == "\t" { value.removeLast() }
        let number = Double(value) ?? .nan
        if number.isNaN { return .nan }
        found = max(found ?? number, number)
      }
      index = end
    }
    return found
  }

  /// The value of `NAME=value`; nil where the name is missing.
  func named(_ name: String) -> String? {
    for part in text.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
      guard let equals = part.firstIndex(of: "="), part[..<equals] == name else { continue }
      var value = part[part.index(after: equals)...]
      if value.first == "\"" { value.removeFirst() }
      if value.last == "\"" { value.removeLast() }
      return String(value)
    }
    return nil
  }

  /// The axes that are named, where there is nothing but axes (`XY`, `X0 Y0`); else none.
  var axes: [String] {
    guard text.utf8.allSatisfy({ "XYZ0. \t".utf8.contains($0) }) else { return [] }
    return ["X", "Y", "Z"].filter { text.utf8.contains($0.utf8.first ?? 0) }
  }
}
