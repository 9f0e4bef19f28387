internal import ConnectorKit

/// `printer-uplink cura-definition`: the printer definition that Cura needs so that its files fit this machine.
enum CuraDefinitionTool {
  /// How the entry names the printer now.
  struct Identity: Equatable {
    /// `bom`.
    var number: String
    /// `machine_variant`.
    var variant: String
  }

  /// The command, for the descriptor.
  static let declaration = ToolDeclaration(
    name: "cura-definition",
    summary: "the printer definition that Cura needs so that its files fit this machine",
    details: """
      Cura slices for one of Ultimaker's printers unless it knows yours: its size, its nozzle, your start
      and end G-code. This asks the printer and makes a definition with a number of its own; with --output
      or --install it is written, below 'definitions' and 'extruders' of Cura's folder. Start Cura again
      afterwards, put the two lines that are printed into the entry, and add the printer.
      """,
    options: [
      ToolDeclaration.Option(
        "size", value: "XxYxZ", "the printable size in mm, rather than the printer's own"),
      ToolDeclaration.Option("name", value: "NAME", "the printer's name in Cura"),
    ],
    reads: MachineShape.interest,
    installPlaces: ["~/.local/share/cura/*", "~/.var/app/com.ultimaker.cura/data/cura/*"])

  /// Makes the files.
  ///
  /// - Parameter identity: the entry's.
  static func run(_ call: ToolCall, identity: Identity) throws(ToolFailure) -> ToolResult {
    var shape = call.status.flatMap(MachineShape.init(of:))
    if let size = call.values["size"] {
      guard let given = MachineShape(size: size) else {
        throw ToolFailure("'\(size)' is no size", remedy: "write millimetres: --size 235x235x250")
      }
      shape?.width = given.width
      shape?.depth = given.depth
      shape?.height = given.height
      shape = shape ?? given
    }
    guard let shape else {
      throw ToolFailure(
        "the printer cannot be asked for its size",
        remedy: "see that Moonraker and Klipper run, or say it: --size 235x235x250")
    }
    let isOwn = !CuraDefinition.isStock(identity.number)
    let fallback = call.printerName.isEmpty ? "Klipper printer" : call.printerName
    let name = call.values["name"] ?? (isOwn ? identity.variant : fallback)
    let number = isOwn ? Int(identity.number) ?? CuraDefinition.ownNumber : CuraDefinition.ownNumber
    let definition = CuraDefinition(name: name, number: number, shape: shape)
    let code = StartEndCode(shape)
    var remarks = code.remarks
    if Identity(number: String(number), variant: name) != identity {
      remarks += [
        "In the entry of type 'cura' there must stand:", "  bom: \"\(number)\"",
        "  machine_variant: \(Self.quoted(name))",
      ]
    }
    return ToolResult(files: definition.files(code), remarks: remarks)
  }

  /// Text as YAML takes it whatever is in it.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars where scalar >= " " {
      if scalar == "\"" || scalar == "\\" { quoted += "\\" }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }
}
