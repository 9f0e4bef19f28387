import ConnectorKit
import JSON

extension MoonrakerRequest {
  /// A request that is known to be one.
  static func of(_ path: String, _ method: Method, _ body: JSONObject = [:]) -> MoonrakerRequest {
    guard
      let request = MoonrakerRequest(
        parts: path.split(separator: ".").map(String.init), method: method, body: body)
    else { preconditionFailure("\(path) is no path") }
    return request
  }
}
