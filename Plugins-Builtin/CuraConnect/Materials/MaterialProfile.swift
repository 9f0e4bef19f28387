internal import XML

/// Reads a material profile (`.xml.fdm_material`).
enum MaterialProfile {
  private static let namespace = "http://www.ultimaker.com/material "
  /// The longest text that is kept, in bytes; a GUID has 36.
  private static let mostText = 36

  /// The material in a profile; nil where it is not well-formed or says no GUID and version.
  static func read(_ document: [UInt8]) -> Material? {
    var path: [String] = []
    var values: [String: String] = [:]
    do throws(XMLDocumentReader.Failure) {
      try XMLDocumentReader.read(document) { event in
        switch event {
        case .start(let name):
          path.append(name.hasPrefix(namespace) ? String(name.dropFirst(namespace.count)) : "?")
        case .end: _ = path.popLast()
        case .text(let text):
          guard path.first == "fdmmaterial", path.count <= 4 else { return }
          let key = path.dropFirst().joined(separator: "/")
          if values.count < 256 || values[key] != nil {
            let former = values[key] ?? ""
            if former.utf8.count < 256 { values[key] = former + text }
          }
        }
      }
    } catch {
      return nil
    }
    func value(_ key: String) -> String {
      UploadReceiver.clean(Array((values[key] ?? "").utf8)).trimmed(to: mostText)
    }
    guard let guid = GUIDText.normalized(value("metadata/GUID")),
      let version = Int(value("metadata/version")), (1...1_000_000_000).contains(version)
    else { return nil }
    return Material(
      guid: guid, version: version, brand: value("metadata/name/brand"),
      material: value("metadata/name/material"), color: value("metadata/name/color"),
      colorCode: value("metadata/color_code"), density: value("properties/density"),
      diameter: value("properties/diameter"))
  }
}

extension String {
  /// Without blanks around it, and at most so many bytes.
  fileprivate func trimmed(to count: Int) -> String {
    var rest = self[...]
    while rest.first?.isWhitespace ?? false { rest.removeFirst() }
    while rest.last?.isWhitespace ?? false { rest.removeLast() }
    while rest.utf8.count > count { rest.removeLast() }
    return String(rest)
  }
}
