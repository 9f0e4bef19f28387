internal import JSON
internal import Platform

/// Which state folder belongs to a configuration file with `control.pin_permissions`, kept in the place that counts where
/// a file names none (`pins.json`): else whoever can write the file could name a folder in which nothing was accepted yet.
/// All of it blocks.
enum PinnedPlaces {
  private static let name = "pins.json"
  private static let limits = JSONLimits(bytes: 1 << 20, depth: 8)

  /// The state folder of the file `identity`, as it is kept in the folder `usual`; nil where none is.
  static func place(of identity: String, in usual: String) -> String? {
    guard let place = pins(in: usual)[identity]?.string,
      ((try? Files.information("\(place)/accepted.json")) ?? nil) != nil
    else { return nil }
    return place
  }

  /// Keeps `place` for the file `identity`, or with nil forgets it.
  ///
  /// - Parameters:
  ///   - usual: where it is kept; made where it is missing and needed.
  ///   - configurationPath: whose owner gets a new folder, as root.
  /// - Throws: `PlatformError` or `StateFailure` where it cannot be written.
  static func note(
    _ place: String?, of identity: String, in usual: String, configurationPath: String
  ) throws {
    var pins = pins(in: usual)
    guard pins[identity]?.string != place else { return }
    pins[identity] = place.map(JSONValue.string)
    let directory = try StateDirectory(opening: usual, configurationPath: configurationPath)
    try StateFile(directory: directory, name: name).write(["pins": .object(pins)])
  }

  private static func pins(in usual: String) -> JSONObject {
    guard let bytes = try? Files.read("\(usual)/\(name)", limit: limits.bytes),
      let document = try? JSONValue(parsing: bytes, limits: limits)
    else { return JSONObject() }
    return document["pins"]?.object ?? JSONObject()
  }
}
