internal import ConnectorKit

/// The settings of a `polar` entry, each declared once.
enum PolarSettings {
  static let serverURL = Setting<String>.url(
    "server_url", default: "https://printer4.polar3d.com",
    "Address of the Polar Cloud's printer server; its path is not used.")

  static let username = Setting<String?>.optionalString(
    "username", example: "maker@example.com",
    "The e-mail address of your Polar Cloud account; can be entered on the page instead.")

  static let pin = Setting<Secret?>.secret(
    "pin", example: "\"1234\"", maximumLength: 32,
    "The PIN of your Polar Cloud account, in quotes; needed once, to register.")

  static let machineType = Setting<String>.choice(
    "machine_type", default: "Cartesian", of: ["Cartesian", "Delta", "Belt"],
    "How the printer is built; it narrows the list of makes on the page.")

  static let printerType = Setting<String>.string(
    "printer_type", default: "Cartesian", maximumLength: 120,
    "The make that the Polar Cloud shows, for which it slices; the page offers its list.")

  static let manufacturer = Setting<String>.string(
    "manufacturer", default: "kl", maximumLength: 40,
    "`kl` any Klipper printer, `el` Elegoo, `CR` Creality, `ac` Anycubic; registered with the printer."
  )

  static let webcamEnabled = Setting<Bool>.boolean(
    "webcam_enabled", default: true, "Whether pictures of the camera are sent.")

  static let maximumImageSize = Setting<Int>.integer(
    "max_image_size", default: 150_000, range: 10_000...1_000_000, unit: "bytes",
    "The largest picture; larger ones are compressed again or made smaller.")

  static let flipHorizontal = Setting<Bool>.boolean(
    "flip_horizontal", default: false,
    "Whether left and right are exchanged; with one of these three keys, what Moonraker says does not count."
  )

  static let flipVertical = Setting<Bool>.boolean(
    "flip_vertical", default: false, "Whether top and bottom are exchanged.")

  static let rotation = Setting<String>.choice(
    "rotation", default: "0", of: ["0", "90", "180", "270"],
    "How far the picture is turned clockwise, degrees.")

  static let printingImageInterval = Setting<Duration>.duration(
    "printing_image_interval", default: 10, range: .seconds(5)...(.seconds(3_600)),
    "The time between two pictures while a job of the Polar Cloud is on.")

  static let idleImageInterval = Setting<Duration>.duration(
    "idle_image_interval", default: 60, range: .seconds(10)...(.seconds(3_600)),
    "The time between two pictures otherwise.")

  static let statusInterval = Setting<Duration>.duration(
    "status_interval", default: 60, range: .seconds(10)...(.seconds(60)),
    "The longest time without a status; changes are told earlier.")

  static let maximumGcodeSize = Setting<Int>.integer(
    "max_gcode_size", default: 1_024, range: 1...16_384, unit: "MB",
    "The largest G-code file that is fetched for a job.")

  static let keptFiles = Setting<Int>.integer(
    "keep_files", default: 10, range: 0...1_000,
    "How many files of former jobs stay in the G-code folder; older ones of this entry are deleted."
  )

  static let allowGcode = Setting<Bool>.boolean(
    "allow_gcode", default: false,
    "Whether G-code typed in the Polar Cloud is run, as far as `permissions` allow.")

  static let makesURL = Setting<String>.url(
    "printer_makes_url", default: "https://polar3d.com/api/v1/printer_makes",
    "Where the page's list of printer makes is fetched, when somebody opens it.")

  static let verbose = Setting<Bool>.boolean(
    "verbose", default: false,
    "Whether each message's name is logged at level info; also switched on the page.")

  /// All of them, in the order in which they are shown.
  static let declarations = [
    serverURL.declaration, username.declaration, pin.declaration, machineType.declaration,
    printerType.declaration, manufacturer.declaration, webcamEnabled.declaration,
    maximumImageSize.declaration, flipHorizontal.declaration, flipVertical.declaration,
    rotation.declaration, printingImageInterval.declaration, idleImageInterval.declaration,
    statusInterval.declaration, maximumGcodeSize.declaration, keptFiles.declaration,
    allowGcode.declaration, makesURL.declaration, verbose.declaration,
  ]
}
