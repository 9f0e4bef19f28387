import ConnectorKit
import JSON
import Platform
import Testing

@testable import CuraConnect

@Suite("Cura's printer definition")
struct CuraDefinitionTests {
  private static let start = """
    {% set bed = params.BED_TEMP|default(60)|float %}
    {% set tool = params.EXTRUDER_TEMP|default(190)|float %}
    {% if params.PURGE %}PURGE{% endif %}
    M190 S{params.bed_temp}
    """

  private func status(
    low: [Double] = [-4, -2, -5, 0], high: [Double] = [350.9, 355, 330, 0],
    kinematics: String = "corexy", macros: [String: String] = [:], more: JSONObject = [:]
  ) -> PrinterStatus {
    var settings: JSONObject = [
      "printer": ["kinematics": .string(kinematics), "max_z_velocity": 15],
      "extruder": ["nozzle_diameter": 0.6, "filament_diameter": 1.75],
      "heater_bed": [:],
    ]
    for (key, value) in more { settings[key] = value }
    for (name, text) in macros { settings["gcode_macro \(name)"] = ["gcode": .string(text)] }
    var status = PrinterStatus(
      startedAt: ManualMoment.now, wallTime: WallTime(millisecondsSinceEpoch: 0))
    status.objects = [
      "toolhead": [
        "axis_minimum": .array(low.map { .double($0) }),
        "axis_maximum": .array(high.map { .double($0) }), "max_velocity": 300,
        "max_accel": 5000,
      ],
      "configfile": ["settings": .object(settings)],
    ]
    return status
  }

  private enum ManualMoment { static let now = MonotonicInstant(sinceOrigin: .zero) }

  private func make(
    _ status: PrinterStatus?, number: String = "9066", variant: String = "Ultimaker 3",
    values: [String: String] = [:]
  ) throws -> ToolResult {
    try CuraDefinitionTool.run(
      ToolCall(settings: Settings(), printerName: "Voron 2.4", status: status, values: values),
      identity: .init(number: number, variant: variant))
  }

  private func machine(_ result: ToolResult) throws -> JSONValue {
    try JSONValue(parsing: Array(try #require(result.files.first).text.utf8))
  }

  private func value(_ key: String, _ result: ToolResult) throws -> JSONValue? {
    try machine(result)["overrides"]?[key]?["default_value"]
  }

  @Test("It has the printer's size, nozzle, filament and limits")
  func shape() throws {
    let result = try make(status())
    #expect(
      result.files.map(\.path) == [
        "definitions/uplink_voron_2_4.def.json",
        "extruders/uplink_voron_2_4_extruder_0.def.json",
      ])
    #expect(try value("machine_width", result) == 350)
    #expect(try value("machine_depth", result) == 355)
    #expect(try value("machine_height", result) == 330)
    #expect(try value("machine_heated_bed", result) == true)
    #expect(try value("machine_center_is_zero", result) == false)
    #expect(try value("machine_gcode_flavor", result) == "RepRap (Marlin/Sprinter)")
    #expect(try value("machine_max_feedrate_z", result) == 15)
    let extruder = try JSONValue(parsing: Array(result.files[1].text.utf8))
    #expect(extruder["overrides"]?["machine_nozzle_size"]?["default_value"] == 0.6)
    #expect(extruder["overrides"]?["material_diameter"]?["default_value"] == 1.75)
    #expect(extruder["metadata"]?["machine"] == "uplink_voron_2_4")
  }

  @Test("Cura finds it under a number of its own, and takes UFP and G-code")
  func metadata() throws {
    let metadata = try machine(try make(status()))["metadata"]
    #expect(metadata?["manufacturer"] == "Ultimaker B.V.")
    #expect(metadata?["bom_numbers"] == [770001])
    #expect(metadata?["file_formats"] == "application/x-ufp;text/x-gcode")
    #expect(metadata?["supports_network_connection"] == true)
    #expect(!CuraDefinition.isStock(String(CuraDefinition.ownNumber)))
  }

  @Test(
    "A number that Cura would take for a stock printer is not kept",
    arguments: ["9066", "9066.0", "906612", "9", "213482", "5078167"])
  func stock(number: String) throws {
    let result = try make(status(), number: number, variant: "Ultimaker 3")
    #expect(try machine(result)["metadata"]?["bom_numbers"] == [770001])
    #expect(result.remarks.contains("  bom: \"770001\""))
    #expect(result.remarks.contains("  machine_variant: \"Voron 2.4\""))
  }

  @Test("An entry that has its own number already keeps it, and nothing is left to say of it")
  func own() throws {
    let result = try make(status(), number: "880002", variant: "My \"printer\"")
    #expect(try machine(result)["metadata"]?["bom_numbers"] == [880002])
    #expect(try machine(result)["name"] == "My \"printer\"")
    #expect(!result.remarks.contains { $0.contains("bom:") })
  }

  @Test("It calls the owner's macros with the parameters that they take")
  func macros() throws {
    let result = try make(
      status(macros: ["print_start": Self.start, "end_print": "M84", "other": "G28"]))
    #expect(
      try value("machine_start_gcode", result)
        == "PRINT_START BED_TEMP={material_bed_temperature_layer_0} EXTRUDER_TEMP={material_print_temperature_layer_0}"
    )
    #expect(try value("machine_end_gcode", result) == "END_PRINT")
    #expect(result.remarks.contains { $0.contains("PRINT_START also takes PURGE") })
  }

  @Test("Without macros it heats, homes and draws a line by itself, and says so")
  func plain() throws {
    let result = try make(status())
    let start = try #require(try value("machine_start_gcode", result)?.string)
    #expect(start.contains("G28"))
    #expect(start.contains("M190 S{material_bed_temperature_layer_0}"))
    #expect(result.remarks.contains { $0.contains("no macro PRINT_START") })
  }

  @Test("Delta printers and centred beds have 0, 0 in the middle")
  func centred() throws {
    let delta = try make(
      status(low: [-130, -130, -2, 0], high: [130, 130, 300, 0], kinematics: "delta"))
    #expect(try value("machine_shape", delta) == "elliptic")
    #expect(try value("machine_width", delta) == 260)
    #expect(try value("machine_center_is_zero", delta) == true)
    let centred = try make(status(low: [-100, -110, 0, 0], high: [100, 110, 200, 0]))
    #expect(try value("machine_shape", centred) == "rectangular")
    #expect(try value("machine_width", centred) == 200)
    #expect(try value("machine_depth", centred) == 220)
  }

  @Test("Each extruder gets a file of its own")
  func extruders() throws {
    let result = try make(
      status(more: ["extruder1": ["nozzle_diameter": 0.4, "filament_diameter": 2.85]]))
    #expect(result.files.count == 3)
    #expect(try value("machine_extruder_count", result) == 2)
    let second = try JSONValue(parsing: Array(result.files[2].text.utf8))
    #expect(second["overrides"]?["material_diameter"]?["default_value"] == 2.85)
    #expect(
      try machine(result)["metadata"]?["machine_extruder_trains"]?["1"]
        == "uplink_voron_2_4_extruder_1")
  }

  @Test("Without the printer it needs a size, and says how to give it")
  func withoutPrinter() throws {
    let failure = #expect(throws: ToolFailure.self) { try make(nil) }
    #expect(failure?.remedy.contains("--size") == true)
    let result = try make(nil, values: ["size": "235x235x250", "name": "Ender"])
    #expect(try value("machine_width", result) == 235)
    #expect(result.files[0].path == "definitions/uplink_ender.def.json")
  }

  @Test(
    "A size that is none is refused", arguments: ["235", "235x235", "axbxc", "1x1x1", "nanx5x5"])
  func badSize(text: String) {
    #expect(throws: ToolFailure.self) { try make(nil, values: ["size": text]) }
  }

  @Test("Names become file names that no stock definition has")
  func names() {
    func identifier(_ name: String) -> String? {
      MachineShape(size: "200x200x200").map {
        CuraDefinition(name: name, number: 770_001, shape: $0).identifier
      }
    }
    #expect(identifier("Voron 2.4 (350)") == "uplink_voron_2_4_350")
    #expect(identifier("../../ö") == "uplink_770001")
  }
}
