internal import JSON

/// What is kept of one of Cura's material profiles.
struct Material: Sendable, Hashable {
  var guid: String
  var version: Int
  var brand: String
  var material: String
  var color: String
  var colorCode: String
  var density: String
  var diameter: String

  /// About so many bytes are kept of it.
  var bytes: Int {
    // Quotes and backslashes are doubled.
    let texts = [brand, material, color, colorCode, density, diameter]
    return texts.reduce(80) { sum, text in
      sum + text.utf8.count
        + text.utf8.count { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
    }
  }

  /// What is kept on the disk.
  var stored: JSONValue {
    [
      .string(guid), .integer(version), .string(brand), .string(material), .string(color),
      .string(colorCode), .string(density), .string(diameter),
    ]
  }

  /// A profile as it was kept; nil where it is none.
  init?(_ stored: JSONValue) {
    guard let parts = stored.array, parts.count == 8,
      let guid = parts[0].string.flatMap(GUIDText.normalized),
      let version = parts[1].integer.flatMap({ Int(exactly: $0) }), version > 0
    else { return nil }
    let texts = parts.dropFirst(2).map { $0.string ?? "" }
    self.init(
      guid: guid, version: version, brand: texts[0], material: texts[1], color: texts[2],
      colorCode: texts[3], density: texts[4], diameter: texts[5])
  }

  init(
    guid: String, version: Int, brand: String = "", material: String = "", color: String = "",
    colorCode: String = "", density: String = "", diameter: String = ""
  ) {
    self.guid = guid
    self.version = version
    self.brand = brand
    self.material = material
    self.color = color
    self.colorCode = colorCode
    self.density = density
    self.diameter = diameter
  }
}
