/// The G-code that Cura puts before and after each print: the owner's macros where there are any.
struct StartEndCode: Equatable {
  /// Before the print.
  var start: String
  /// After it.
  var end: String
  /// What the owner should know of it.
  var remarks: [String] = []

  /// Names that macros for the begin and the end of a print usually have.
  private static let startNames = ["PRINT_START", "START_PRINT"]
  private static let endNames = ["PRINT_END", "END_PRINT"]
  /// What Cura puts in, by the names that such macros give their parameters.
  private static let placeholders: [String: String] = {
    let values = [
      "{material_bed_temperature_layer_0}": [
        "BED", "BED_TEMP", "BEDTEMP", "BED_TEMPERATURE", "BTEMP", "B_TEMP", "TARGET_BED",
      ],
      "{material_print_temperature_layer_0}": [
        "EXTRUDER", "EXTRUDER_TEMP", "EXTRUDER_TEMPERATURE", "EXTRUDERTEMP", "HOTEND",
        "HOTEND_TEMP", "HOTEND_TEMPERATURE", "NOZZLE", "NOZZLE_TEMP", "NOZZLE_TEMPERATURE", "TEMP",
        "TOOL_TEMP", "E_TEMP", "ETEMP", "TARGET_EXTRUDER",
      ],
      "{build_volume_temperature}": ["CHAMBER", "CHAMBER_TEMP", "CHAMBER_TEMPERATURE"],
      "{material_type}": ["MATERIAL", "MATERIAL_TYPE", "FILAMENT", "FILAMENT_TYPE"],
      "{machine_nozzle_size}": ["NOZZLE_SIZE", "NOZZLE_DIAMETER"],
    ]
    var placeholders: [String: String] = [:]
    for (placeholder, names) in values { for name in names { placeholders[name] = placeholder } }
    return placeholders
  }()

  /// The code for this printer.
  init(_ shape: MachineShape) {
    if let name = Self.startNames.first(where: { shape.macros[$0] != nil }) {
      let parameters = Self.parameters(of: shape.macros[name] ?? "")
      let known = parameters.compactMap { name in
        Self.placeholders[name].map { "\(name)=\($0)" }
      }
      start = ([name] + known).joined(separator: " ")
      let unknown = parameters.filter { Self.placeholders[$0] == nil }
      if !unknown.isEmpty {
        remarks.append(
          "\(name) also takes \(unknown.joined(separator: ", ")): add them to the start G-code in Cura's machine settings where you need them."
        )
      }
      if !known.contains(where: { $0.contains("{material_print") }) {
        remarks.append("\(name) takes no temperatures that are known here: Cura heats before it.")
      }
    } else {
      start = Self.plainStart(shape)
      remarks.append(
        "There is no macro PRINT_START: the print begins with homing and a line at the bed's edge.")
    }
    if let name = Self.endNames.first(where: { shape.macros[$0] != nil }) {
      end = name
    } else {
      end = Self.plainEnd(shape)
    }
  }

  /// The names in `params.NAME` of a macro's template, in order, each once, in capitals.
  static func parameters(of template: String) -> [String] {
    var found: [String] = []
    let bytes = Array(template.utf8)
    let mark = Array("params.".utf8)
    var index = 0
    while index + mark.count < bytes.count {
      guard bytes[index..<index + mark.count].elementsEqual(mark) else {
        index += 1
        continue
      }
      index += mark.count
      let name = bytes[index...].prefix { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
      let word = String(decoding: name, as: UTF8.self).uppercased()
      if !word.isEmpty, !found.contains(word) { found.append(word) }
    }
    return found
  }

  private static func plainStart(_ shape: MachineShape) -> String {
    let bed = "{material_bed_temperature_layer_0}"
    let nozzle = "{material_print_temperature_layer_0}"
    var lines = shape.hasHeatedBed ? ["M140 S\(bed)"] : []
    lines += ["M104 S\(nozzle)", "G28 ; home"]
    if shape.hasHeatedBed { lines.append("M190 S\(bed)") }
    lines += ["M109 S\(nozzle)", "G90", "M82", "G92 E0", "G1 Z5 F600"]
    if !shape.isCentred {
      let end = Int(min(150, shape.width / 2))
      lines += [
        "G1 X5 Y5 F6000", "G1 Z0.3 F600", "G1 X\(end) E\(end / 10) F1200 ; a line to begin with",
        "G92 E0", "G1 Z2 F600",
      ]
    }
    return lines.joined(separator: "\n")
  }

  private static func plainEnd(_ shape: MachineShape) -> String {
    var lines = ["G91", "G1 E-2 F1800", "G1 Z5 F600", "G90", "M107", "M104 S0"]
    if shape.hasHeatedBed { lines.append("M140 S0") }
    return (lines + ["M84"]).joined(separator: "\n")
  }
}
