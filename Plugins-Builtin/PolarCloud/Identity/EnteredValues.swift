internal import ConnectorKit
internal import JSON

/// What a person has entered on the page, kept with the identity; keys of the file win over it.
struct EnteredValues: Sendable, Hashable {
  var username: String?
  /// Until it has been used.
  var pin: Secret?
  var machineType: String?
  var printerType: String?
  var manufacturer: String?
  var webcamEnabled: Bool?
  var maximumImageSize: Int?
  /// Seconds.
  var statusInterval: Int?
  var serverURL: String?
  var isVerbose: Bool?

  /// Nothing.
  init() {}

  /// Reads what ``json`` wrote; what is not understood is left out.
  init(_ json: JSONObject) {
    username = json["username"]?.string
    pin = json["pin"]?.string.map { Secret($0) }
    machineType = json["machine_type"]?.string
    printerType = json["printer_type"]?.string
    manufacturer = json["manufacturer"]?.string
    webcamEnabled = json["webcam_enabled"]?.bool
    maximumImageSize = json["max_image_size"]?.integer.flatMap { Int(exactly: $0) }
    statusInterval = json["status_interval"]?.integer.flatMap { Int(exactly: $0) }
    serverURL = json["server_url"]?.string
    isVerbose = json["verbose"]?.bool
  }

  /// The form in which it is stored.
  var json: JSONObject {
    var json = JSONObject()
    json["username"] = username.map(JSONValue.string)
    json["pin"] = pin.map { .string($0.revealed) }
    json["machine_type"] = machineType.map(JSONValue.string)
    json["printer_type"] = printerType.map(JSONValue.string)
    json["manufacturer"] = manufacturer.map(JSONValue.string)
    json["webcam_enabled"] = webcamEnabled.map(JSONValue.bool)
    json["max_image_size"] = maximumImageSize.map { .integer($0) }
    json["status_interval"] = statusInterval.map { .integer($0) }
    json["server_url"] = serverURL.map(JSONValue.string)
    json["verbose"] = isVerbose.map(JSONValue.bool)
    return json
  }
}
