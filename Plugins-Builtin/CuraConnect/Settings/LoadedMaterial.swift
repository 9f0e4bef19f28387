/// The material that an extruder holds, as the owner has set it.
struct LoadedMaterial: Sendable, Hashable {
  /// Cura's id of a material; empty where it is described instead.
  var guid: String
  var material: String
  var brand: String
  var color: String

  /// Nothing is known of it.
  static let unknown = LoadedMaterial("")

  /// A GUID, or `type/brand/colour` of which the last parts may be missing.
  init(_ text: String) {
    let parts = text.utf8.split(
      separator: UInt8(ascii: "/"), maxSplits: 2, omittingEmptySubsequences: false
    ).map { String(Substring($0)) }
    if let guid = GUIDText.normalized(text) {
      self.init(guid: guid, material: "", brand: "", color: "")
    } else {
      self.init(
        guid: "", material: parts.first ?? "", brand: parts.count > 1 ? parts[1] : "",
        color: parts.count > 2 ? parts[2] : "")
    }
  }

  private init(guid: String, material: String, brand: String, color: String) {
    self.guid = guid
    self.material = material
    self.brand = brand
    self.color = color
  }
}
