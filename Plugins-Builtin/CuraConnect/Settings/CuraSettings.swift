internal import ConnectorKit

/// The settings of a `cura` entry, each declared once.
enum CuraSettings {
  static let listen = Setting<String>.string(
    "listen", default: "127.0.0.1:8008", maximumLength: 64,
    "Where Cura's requests arrive: an address of this host and a port. Cura itself always calls port 80, so either a proxy stands in front, or this is `0.0.0.0:80`."
  )
  static let name = Setting<String?>.optionalString(
    "display_name", example: "Voron 2.4", maximumLength: 63,
    "The name that Cura shows; without it the entry's `name`, or the printer's.")
  static let instance = Setting<String?>.optionalString(
    "instance", example: "ultimakersystem-0123456789ab", maximumLength: 63,
    "The name in the network's list of services, by which Cura knows the printer again; made once and kept where it is left out."
  )
  static let bom = Setting<String>.string(
    "bom", default: "9066", maximumLength: 16,
    "The part number by which Cura chooses the printer's definition: 9066 is an Ultimaker 3; one of your own definition needs its own."
  )
  static let machineVariant = Setting<String>.string(
    "machine_variant", default: "Ultimaker 3", maximumLength: 63,
    "The name of that definition, as Cura spells it.")
  static let firmwareVersion = Setting<String>.string(
    "firmware_version", default: "7.1.0", maximumLength: 16,
    "The firmware's version that Cura is told; below 4.4 it sends other files, below 4.0 nothing.")
  static let printCores = Setting<[String]>.stringList(
    "print_cores", example: "[AA 0.4]",
    "The nozzle of each extruder, as the definition names it; without it one `AA 0.4`.")
  static let materials = Setting<[String]>.stringList(
    "materials", example: "[\"PLA/Generic/#ffffff\"]",
    "The material in each extruder: one of Cura's GUIDs, or type, brand and colour with slashes between."
  )
  static let advertise = Setting<String>.choice(
    "advertise", default: "avahi", of: ["avahi", "static", "off"],
    "How Cura finds the printer: through Avahi, by a service file that you put into Avahi's folder, or only by its address."
  )
  static let advertisePort = Setting<Int>.integer(
    "advertise_port", default: 80, range: 1...65_535, "The port that is advertised.")
  static let allow = Setting<[String]>.stringList(
    "allow", example: "[192.168.1.0/24]",
    "The networks that may call; without it the private ones, link-local and this host.")
  static let auth = Setting<String>.choice(
    "auth", default: "open", of: ["open", "pair"],
    "Whether every Cura in these networks may print, or only one that a person has approved on this host (Cura 5.11 and newer)."
  )
  static let autoStart = Setting<String>.choice(
    "auto_start", default: "when_clear", of: ["never", "when_clear", "always"],
    "What starts by itself: nothing; an upload while the printer is idle, the queue empty and the bed known to be clear; or also what waits in the queue, whenever that is so."
  )
  static let assumeClearAfter = Setting<Duration>.duration(
    "assume_clear_after", default: 0, range: .zero ... .seconds(604_800),
    "The bed counts as clear so long after the last job, as if somebody had looked; 0: never. Dangerous: a print onto a full bed can break the printer."
  )
  static let uploadDirectory = Setting<String?>.optionalString(
    "upload_dir", example: "cura", maximumLength: 200,
    "The folder below `gcodes` for uploads; without it `gcodes` itself.")
  static let maximumUpload = Setting<Int>.integer(
    "max_upload_mb", default: 512, range: 1...8_192, unit: "MB", "The largest upload.")
  static let maximumUnpacked = Setting<Int>.integer(
    "max_unpacked_mb", default: 2_048, range: 1...16_384, unit: "MB",
    "The largest G-code that a packed upload may hold.")
  static let deleteFiles = Setting<Bool>.boolean(
    "delete_files", default: false,
    "Whether deleting a job in Cura deletes the file too, where this connector brought it.")
  static let cameraHost = Setting<String?>.optionalString(
    "camera_host", example: "192.168.1.30", maximumLength: 255,
    "The host on whose port 8080 Cura looks for the camera; without it this one.")
  static let cameraProxy = Setting<String?>.optionalString(
    "camera_proxy", example: "0.0.0.0:8080", maximumLength: 64,
    "Where the camera is shown to Cura, which always calls port 8080; without it nothing is, as crowsnest does that."
  )
  static let allowGriffin = Setting<Bool>.boolean(
    "allow_griffin", default: false,
    "Whether files in Ultimaker's own G-code start by themselves; they neither home nor heat.")

  /// All of them, in the order in which they are shown.
  static let declarations = [
    listen.declaration, name.declaration, instance.declaration, bom.declaration,
    machineVariant.declaration, firmwareVersion.declaration, printCores.declaration,
    materials.declaration, advertise.declaration, advertisePort.declaration, allow.declaration,
    auth.declaration, autoStart.declaration, assumeClearAfter.declaration,
    uploadDirectory.declaration, maximumUpload.declaration, maximumUnpacked.declaration,
    deleteFiles.declaration, cameraHost.declaration, cameraProxy.declaration,
    allowGriffin.declaration,
  ]
}
