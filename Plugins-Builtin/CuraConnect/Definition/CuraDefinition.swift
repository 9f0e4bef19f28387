internal import ConnectorKit
internal import JSON

/// A printer definition of Cura's with its extruders: the files that make Cura slice for this machine and find it on the
/// network under its own number.
struct CuraDefinition {
  /// The printer's name in Cura: the definition's, which its answers name as `machine_variant`.
  var name: String
  /// The number that the printer shows on the network.
  var number: Int
  /// The machine.
  var shape: MachineShape

  /// A number that no definition of Ultimaker's begins with, nor is the begin of one.
  static let ownNumber = 770_001
  /// The numbers of Ultimaker's own printers. Cura compares the begin only.
  static let stockNumbers = [
    9066, 9511, 213_482, 9051, 214_475, 5_078_167, 5_078_168, 10_600, 10_700, 227_380,
  ]

  /// Whether Cura would take `number` for one of Ultimaker's own printers, or one of these for it.
  static func isStock(_ number: String) -> Bool {
    stockNumbers.contains { number.hasPrefix(String($0)) || String($0).hasPrefix(number) }
  }

  /// The files, relative to Cura's folder of resources.
  func files(_ code: StartEndCode) -> [ToolResult.File] {
    let trains = shape.extruders.indices.map { "\(identifier)_extruder_\($0)" }
    let machine = ToolResult.File(
      path: "definitions/\(identifier).def.json",
      text: PrettyJSON.text(machine(trains: trains, code)))
    return [machine]
      + zip(trains, shape.extruders.indices).map { train, index in
        ToolResult.File(
          path: "extruders/\(train).def.json", text: PrettyJSON.text(extruder(index)))
      }
  }

  /// The name of the definition's file: `uplink_` and what is left of the printer's name.
  var identifier: String {
    var words = ""
    for byte in name.lowercased().utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        words.unicodeScalars.append(Unicode.Scalar(byte))
      default: if words.last != "_", !words.isEmpty { words += "_" }
      }
    }
    let slug = words.prefix(40).split(separator: "_").joined(separator: "_")
    return "uplink_" + (slug.isEmpty ? String(number) : slug)
  }

  private func machine(trains: [String], _ code: StartEndCode) -> JSONValue {
    var extruders = JSONObject()
    for (index, train) in trains.enumerated() { extruders[String(index)] = .string(train) }
    return [
      "version": 2,
      "name": .string(name),
      "inherits": "fdmprinter",
      "metadata": [
        "visible": true,
        "author": .string(Product.name),
        "manufacturer": "Ultimaker B.V.",
        "file_formats": "application/x-ufp;text/x-gcode",
        "bom_numbers": [.integer(number)],
        "supports_network_connection": true,
        "supports_usb_connection": false,
        "supported_actions": ["DiscoverUM3Action"],
        "has_materials": true,
        "preferred_material": "generic_pla",
        "preferred_quality_type": "normal",
        "machine_extruder_trains": .object(extruders),
      ],
      "overrides": .object(overrides(code)),
    ]
  }

  private func overrides(_ code: StartEndCode) -> JSONObject {
    var overrides: JSONObject = [:]
    func set(_ key: String, _ value: JSONValue) { overrides[key] = ["default_value": value] }
    set("machine_name", .string(name))
    set("machine_width", Self.millimetres(shape.width))
    set("machine_depth", Self.millimetres(shape.depth))
    set("machine_height", Self.millimetres(shape.height))
    set("machine_shape", shape.isRound ? "elliptic" : "rectangular")
    set("machine_center_is_zero", .bool(shape.isCentred))
    set("machine_heated_bed", .bool(shape.hasHeatedBed))
    set("machine_extruder_count", .integer(shape.extruders.count))
    set("machine_gcode_flavor", "RepRap (Marlin/Sprinter)")
    set("machine_start_gcode", .string(code.start))
    set("machine_end_gcode", .string(code.end))
    if let speed = shape.maximumSpeed {
      set("machine_max_feedrate_x", .double(speed))
      set("machine_max_feedrate_y", .double(speed))
    }
    if let speed = shape.maximumSpeedZ { set("machine_max_feedrate_z", .double(speed)) }
    if let acceleration = shape.maximumAcceleration {
      set("machine_max_acceleration_x", .double(acceleration))
      set("machine_max_acceleration_y", .double(acceleration))
      set("machine_acceleration", .double(acceleration))
    }
    return overrides
  }

  private func extruder(_ index: Int) -> JSONValue {
    let extruder = shape.extruders[index]
    return [
      "version": 2,
      "name": .string("Extruder \(index + 1)"),
      "inherits": "fdmextruder",
      "metadata": [
        "machine": .string(identifier),
        "position": .string(String(index)),
      ],
      "overrides": [
        "extruder_nr": [
          "default_value": .integer(index),
          "maximum_value": .string(String(max(0, shape.extruders.count - 1))),
        ],
        "machine_nozzle_size": ["default_value": .double(extruder.nozzle)],
        "material_diameter": ["default_value": .double(extruder.filament)],
      ],
    ]
  }

  /// Whole millimetres, rounded down: the last fraction of the way is no place to print.
  private static func millimetres(_ length: Double) -> JSONValue {
    .integer(Int(exactly: length.rounded(.down)) ?? 0)
  }
}
