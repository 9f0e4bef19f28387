package import JSON

/// What can call Moonraker: the link, or whoever knows which link is in force.
package protocol MoonrakerCaller: Sendable {
  /// Calls `method` once on the present connection, beside whatever else is under way there.
  ///
  /// - Parameters:
  ///   - method: the JSON-RPC method: `printer.print.pause`.
  ///   - params: an object, or nil for none.
  ///   - timeout: how long the answer may take, sending included; nil waits as long as the connection lives.
  /// - Returns: the result.
  /// - Throws: `RPCFailure`; `.notSent` at once where there is no connection that Moonraker has let in.
  func call(
    _ method: String, _ params: JSONObject?, timeout: Duration?
  ) async throws(RPCFailure) -> JSONValue
}
