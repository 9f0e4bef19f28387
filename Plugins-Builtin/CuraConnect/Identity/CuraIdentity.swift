internal import ConnectorKit
internal import JSON

/// What the printer is to Cura, for ever: kept in the state directory, made at the first start.
struct CuraIdentity: Sendable, Hashable {
  /// The printer's UUID.
  var printerUUID: String
  /// The instance's name in the network's list of services, where the settings name none.
  var instance: String

  /// A new one.
  static func new() -> CuraIdentity {
    CuraIdentity(
      printerUUID: GUIDText.random(), instance: "ultimakersystem-\(GUIDText.randomDigits(12))")
  }

  /// The stored one; nil where there is none that can be used.
  init?(_ stored: JSONObject?) {
    guard let uuid = stored?["printer_uuid"]?.string.flatMap(GUIDText.normalized),
      let instance = stored?["instance"]?.string, (1...63).contains(instance.utf8.count)
    else { return nil }
    self.init(printerUUID: uuid, instance: instance)
  }

  init(printerUUID: String, instance: String) {
    self.printerUUID = printerUUID
    self.instance = instance
  }
}
