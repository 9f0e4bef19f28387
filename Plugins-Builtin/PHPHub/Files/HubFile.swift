internal import ConnectorKit
internal import JSON

/// A file as the hub lists it.
struct HubFile: Sendable, Hashable {
  /// The hub's name of it.
  var name: String
  /// What people call it.
  var originalName: String?
  /// Lower-case hex; nil: the hub does not tell.
  var md5: String?

  /// Reads one row; nil where it has no name.
  init?(_ row: JSONValue) {
    guard let name = row["name"]?.string else { return nil }
    self.name = name
    originalName = row["original_name"]?.string
    md5 = row["md5"]?.string.flatMap { text in
      let isHex = text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20)
      }
      return text.utf8.count == 32 && isHex ? text.lowercased() : nil
    }
  }
}

/// The name under which a file of the hub's is put on the printer.
enum FileName {
  /// The most bytes.
  static let longest = 200
  private static let extensions = [".gcode", ".gco", ".g"]

  /// Checks a name of the hub's: nothing is cleaned up, what does not fit is refused.
  ///
  /// - Throws: `CommandFailure` (`invalid`) that says what is wrong.
  static func check(_ name: String) throws(CommandFailure) -> String {
    func refuse(_ problem: String) -> CommandFailure {
      CommandFailure(.invalid, "the file's name \(problem)")
    }
    guard !name.isEmpty, name != ".", name != ".." else { throw refuse("is none") }
    guard !name.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(UInt8(ascii: "\\")) else {
      throw refuse("holds a path")
    }
    guard !name.hasPrefix(".") else { throw refuse("begins with a dot") }
    guard name.unicodeScalars.allSatisfy(isPrintable) else {
      throw refuse("holds control characters")
    }
    guard name.utf8.count <= longest else { throw refuse("is longer than \(longest) bytes") }
    let lower = name.lowercased()
    guard extensions.contains(where: { lower.hasSuffix($0) && lower.utf8.count > $0.utf8.count })
    else { throw refuse("does not end in .gcode, .gco or .g") }
    return name
  }

  /// What people call a file, made fit for the printer's screen; nil where nothing fit is left.
  static func cleaned(_ original: String) -> String? {
    let last = original.utf8.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }.last
    guard let last else { return nil }
    var name = String(
      String.UnicodeScalarView(
        Substring(last).unicodeScalars.filter(isPrintable).map { scalar in
          "<>:\"|?*".unicodeScalars.contains(scalar) ? "_" : scalar
        })
    ).trimmed
    name = String(name.drop { $0 == "." })
    if name.utf8.count > longest {
      let dot = name.utf8.lastIndex(of: UInt8(ascii: "."))
      let ending = dot.map { String(name[$0...]) } ?? ""
      while name.utf8.count + ending.utf8.count > longest, !name.isEmpty { name.removeLast() }
      name += ending
    }
    return try? check(name)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: false
    default: true
    }
  }
}
