internal import JSON

/// A job that the Polar Cloud has given out.
struct CloudJob: Sendable, Hashable {
  /// How far it is.
  enum Phase: String, Sendable, Hashable {
    /// Its file is fetched; nothing has been started.
    case preparing
    /// It was started, or may have been.
    case started
    /// The printer has been seen printing it.
    case running
  }
  /// The cloud's id, as it came.
  var id: String
  /// Where its file lies below `gcodes`.
  var path: String
  /// Addresses that the cloud gave and is told again.
  var stlFile: String?
  var configFile: String?
  var phase: Phase

  init(id: String, path: String, stlFile: String? = nil, configFile: String? = nil, phase: Phase) {
    self.id = id
    self.path = path
    self.stlFile = stlFile
    self.configFile = configFile
    self.phase = phase
  }

  /// Reads what ``json`` wrote; nil where that is not whole.
  init?(_ json: JSONObject) {
    guard let id = json["id"]?.string, let path = json["path"]?.string,
      let phase = json["phase"]?.string.flatMap(Phase.init)
    else { return nil }
    self.init(
      id: id, path: path, stlFile: json["stl_file"]?.string,
      configFile: json["config_file"]?.string, phase: phase)
  }

  /// The form in which it is stored.
  var json: JSONObject {
    var json: JSONObject = [
      "id": .string(id), "path": .string(path), "phase": .string(phase.rawValue),
    ]
    json["stl_file"] = stlFile.map(JSONValue.string)
    json["config_file"] = configFile.map(JSONValue.string)
    return json
  }
}
