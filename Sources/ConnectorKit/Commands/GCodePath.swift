/// The path of a file in Moonraker's root `gcodes`: relative, and nothing in it can lead out of the root.
package struct GCodePath: Sendable, Hashable, CustomStringConvertible {
  /// The path as Moonraker spells it: components joined by `/`.
  package let text: String

  /// Checks a path from outside: relative; no empty, `.` or `..` component; no leading `~`; no backslash and no control
  /// character; each component at most 255 bytes, the whole at most 1024.
  ///
  /// - Returns: nil where one of these is broken. Nothing is cleaned up.
  package init?(_ text: String) {
    guard (1...1_024).contains(text.utf8.count), !text.utf8.starts(with: "~".utf8),
      text.unicodeScalars.allSatisfy({
        $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0 != "\\"
          && $0.value != 0x2028 && $0.value != 0x2029
      })
    else { return nil }
    let components = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    for component in components {
      let isDots = component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8)
      guard !component.isEmpty, component.count <= 255, !isDots else { return nil }
    }
    self.text = text
  }

  /// The folder's path; nil for a file in the root itself.
  package var folder: String? {
    guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return String(text[..<slash])
  }

  /// The last component.
  package var name: String {
    guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return text }
    return String(text[text.utf8.index(after: slash)...])
  }

  /// Whether Moonraker takes a file of this name for G-code.
  package var isGCode: Bool {
    let name = self.name.lowercased()
    return [".gcode", ".g", ".gco", ".ufp", ".nc"].contains {
      name.utf8.count > $0.utf8.count && name.hasSuffix($0)
    }
  }

  /// Where Moonraker keeps what is uploaded under this path: of a `.ufp` it keeps the G-code inside. Nil where that is no
  /// path.
  package var kept: GCodePath? {
    guard name.utf8.count > 4, name.lowercased().hasSuffix(".ufp") else { return self }
    return GCodePath(text.dropLast(4) + ".gcode")
  }

  package var description: String { text }
}
