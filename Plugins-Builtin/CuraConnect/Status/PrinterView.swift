internal import JSON

/// The printer's entry in Cura's list, as a value: two that are equal make the same bytes.
struct PrinterView: Sendable, Hashable {
  var uuid: String
  var instance: String
  var name: String
  var variant: String
  var firmware: String
  var bom: String
  /// One element for each extruder.
  var configuration: JSONValue
  /// Cura's word for the printer's state.
  var word: String

  /// Cura's word for what the printer shows.
  static func word(_ reading: PrinterReading, isBedClear: Bool) -> String {
    guard reading.isReachable else { return "unreachable" }
    switch reading.state {
    case "printing", "paused": return "printing"
    case "complete", "cancelled", "error": return isBedClear ? "idle" : "wait_cleanup"
    default: return "idle"
    }
  }

  /// The entry.
  ///
  /// - Parameter address: where Cura looks for the camera.
  func body(address: String) -> JSONValue {
    [
      "uuid": .string(uuid), "unique_name": .string(instance), "friendly_name": .string(name),
      "machine_variant": .string(variant), "firmware_version": .string(firmware),
      "ip_address": .string(address), "enabled": true, "status": .string(word),
      "configuration": configuration, "firmware_update_status": "up_to_date",
      "latest_available_firmware": .string(firmware), "maintenance_required": false,
      "reserved_by": "",
    ]
  }

  /// The answer to an address that a person typed in.
  func system(hostName: String) -> JSONValue {
    let typeID = Int64(bom).map { JSONValue.integer($0) } ?? .string(bom)
    return [
      "guid": .string(uuid), "firmware": .string(firmware), "hostname": .string(hostName),
      "name": .string(name), "platform": "Linux", "variant": .string(variant),
      "hardware": ["typeid": typeID, "revision": 0],
    ]
  }

  /// What the extruders hold, as Cura's lists say it.
  ///
  /// - Parameter materials: one of each extruder, in order; what is missing is unknown.
  static func configuration(cores: [String], materials: [LoadedMaterial]) -> JSONValue {
    .array(
      cores.enumerated().map { index, core in
        let material = index < materials.count ? materials[index] : .unknown
        let type = material.material.isEmpty && material.guid.isEmpty ? "empty" : material.material
        return [
          "extruder_index": .integer(index), "print_core_id": .string(core),
          "material": [
            "guid": .string(material.guid), "brand": .string(material.brand),
            "color": .string(material.color), "material": .string(type),
          ],
        ]
      })
  }
}
