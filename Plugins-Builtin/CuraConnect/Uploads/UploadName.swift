/// The name under which an upload is kept: what a stranger calls it, made harmless.
struct UploadName: Sendable, Hashable {
  /// What kind of file it says it is.
  enum Kind: Sendable, Hashable { case gcode, gzip, ufp }

  /// The name without its extension, at most 120 bytes.
  let stem: String
  /// The extension with its dot, in lower case.
  let fileExtension: String
  /// What kind of file it says it is.
  let kind: Kind

  private static let mostBytes = 120
  private static let extensions: [(text: String, kind: Kind)] = [
    (".gcode.gz", .gzip), (".ufp", .ufp), (".gcode", .gcode), (".gco", .gcode), (".nc", .gcode),
    (".g", .gcode),
  ]

  /// The name in `text`.
  ///
  /// - Returns: nil where it has none of the extensions that are taken, or nothing in front of it.
  init?(_ text: String) {
    let last = text.unicodeScalars.split(omittingEmptySubsequences: false) {
      $0 == "/" || $0 == "\\"
    }.last
    var scalars = String.UnicodeScalarView()
    for scalar in last ?? Substring.UnicodeScalarView() where !Self.isHarmful(scalar) {
      scalars.append(scalar)
    }
    let name = Self.trimmed(String(scalars))
    // Letters of the extensions only: others may have another length in lower case.
    let lowered = String(
      decoding: name.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    guard let found = Self.extensions.first(where: { lowered.hasSuffix($0.text) })
    else { return nil }
    var stem = Self.trimmed(String(name.dropLast(found.text.count)))
    while stem.utf8.count > Self.mostBytes { stem.removeLast() }
    while stem.hasSuffix(" ") || stem.hasSuffix(".") { stem.removeLast() }
    guard !stem.isEmpty else { return nil }
    self.stem = stem
    kind = found.kind
    fileExtension = found.kind == .gzip ? ".gcode" : found.text
  }

  /// The file's name, with a number where others have it already.
  func fileName(_ number: Int) -> String {
    number == 0 ? stem + fileExtension : "\(stem)-\(number)\(fileExtension)"
  }

  /// The name under which Moonraker keeps it: of a UFP the G-code inside.
  func keptName(_ number: Int) -> String {
    number == 0
      ? stem + (kind == .ufp ? ".gcode" : fileExtension)
      : "\(stem)-\(number)\(kind == .ufp ? ".gcode" : fileExtension)"
  }

  /// Control characters, what ends lines, what turns the direction of writing, and what Moonraker's paths cannot hold.
  private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0xFEFF, 0xFFFD:
      true
    default: false
    }
  }

  private static func trimmed(_ text: String) -> String {
    var rest = text[...]
    while let first = rest.unicodeScalars.first,
      first == "." || first == "~" || first.properties.isWhitespace
    {
      rest.unicodeScalars.removeFirst()
    }
    while let last = rest.unicodeScalars.last, last.properties.isWhitespace {
      rest.unicodeScalars.removeLast()
    }
    return String(rest)
  }
}
