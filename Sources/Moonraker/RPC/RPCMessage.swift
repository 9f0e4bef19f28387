package import JSON

/// One JSON-RPC message from Moonraker.
package enum RPCMessage: Sendable, Hashable {
  /// The answer to our call `id`.
  case response(id: Int64, Result<JSONValue, RPCFailure>)
  /// Something happened; nobody waits for an answer.
  case notification(method: String, params: JSONValue)
  /// Somebody (through Moonraker) waits for our answer.
  case request(id: JSONValue, method: String, params: JSONValue)
  /// An error that belongs to no call, such as a parse error that Moonraker found in what we sent.
  case orphan(RPCFailure)

  /// Methods of notifications that nobody here reads: dropped before they are parsed.
  static let ignored: Set<String> = [
    "notify_gcode_response", "notify_history_changed",
    "notify_announcement_update", "notify_announcement_dismissed", "notify_announcement_wake",
    "notify_agent_event", "notify_update_response", "notify_update_refreshed",
    "notify_power_changed", "notify_service_state_changed", "notify_sudo_alert",
    "notify_user_created", "notify_user_deleted", "notify_user_logged_out",
    "notify_button_event", "notify_cpu_throttled", "notify_sensor_update",
    "notify_active_spool_set", "notify_spoolman_status_changed",
  ]

  /// The messages in one frame: none for what nobody reads, several for a batch.
  ///
  /// - Throws: `JSONError` where the frame is no JSON document, or one that is no JSON-RPC at all.
  package static func decode(_ frame: [UInt8]) throws(JSONError) -> [RPCMessage] {
    if let method = peekMethod(frame), ignored.contains(method) { return [] }
    let document = try JSONValue(parsing: frame)
    switch document {
    case .object(let object): return [try RPCMessage(object)]
    case .array(let elements):
      var messages: [RPCMessage] = []
      messages.reserveCapacity(elements.count)
      for element in elements {
        guard let object = element.object else { throw notJSONRPC }
        messages.append(try RPCMessage(object))
      }
      return messages
    default: throw notJSONRPC
    }
  }

  private static var notJSONRPC: JSONError { JSONError(problem: "no JSON-RPC message", offset: 0) }

  private init(_ object: JSONObject) throws(JSONError) {
    let id = object["id"] ?? .null
    if let method = object["method"]?.string {
      let params = object["params"] ?? .null
      self =
        id.isNull
        ? .notification(method: method, params: params)
        : .request(id: id, method: method, params: params)
      return
    }
    let outcome: Result<JSONValue, RPCFailure>
    if let error = object["error"], !error.isNull {
      outcome = .failure(
        .refused(
          code: error["code"]?.integer ?? 0, message: error["message"]?.string ?? "no message"))
    } else if let result = object["result"] {
      outcome = .success(result)
    } else {
      throw RPCMessage.notJSONRPC
    }
    switch (id.integer, outcome) {
    case (.some(let id), _): self = .response(id: id, outcome)
    case (nil, .failure(let failure)): self = .orphan(failure)
    case (nil, .success): throw RPCMessage.notJSONRPC
    }
  }
}
