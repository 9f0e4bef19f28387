internal import HTTPServer
internal import JSON

/// Answers as Cura's API gives them.
enum JSONAnswer {
  /// A body that is made already.
  static func body(_ bytes: [UInt8], status: Int = 200) -> HTTPServer.Response {
    HTTPServer.Response(status: status, type: "application/json", body: bytes)
  }

  /// A value.
  static func value(_ value: JSONValue, status: Int = 200) -> HTTPServer.Response {
    body(value.serialized(), status: status)
  }

  /// A word to whoever reads it.
  static func message(
    _ status: Int, _ text: String, fields: [(name: String, value: String)] = []
  ) -> HTTPServer.Response {
    var response = value(["message": .string(text)], status: status)
    response.fields += fields
    return response
  }

  /// A job has been taken.
  static func accepted(_ status: Int, _ uuid: String) -> HTTPServer.Response {
    value(["message": "Print job accepted", "uuid": .string(uuid)], status: status)
  }
}
