import ConnectorKit
package import JSON

/// A call that the link makes of its own accord; how it is spelled on the wire is ``method`` and ``parameters(_:)``.
package enum LinkCall: Sendable, Hashable {
  /// Says who we are: as the agent, or as an ordinary client.
  case identify(name: String, asAgent: Bool)
  /// Moonraker's and Klippy's state.
  case serverInfo
  /// Klippy's words about its state.
  case printerInfo
  /// The printer's objects.
  case objectsList(generation: Int)
  /// The fields that are read once.
  case query(generation: Int, JSONObject)
  /// The one subscription.
  case subscribe(generation: Int, JSONObject)
  /// What Moonraker knows of a G-code file.
  case metadata(filename: String)
  /// How full the disk with the G-code files is.
  case diskUsage
  /// Says that Klipper's macros may call this method of ours.
  case register(method: String)
  /// The cheapest question there is, to see whether Moonraker lives.
  case probe

  /// The JSON-RPC method.
  package var method: String {
    switch self {
    case .identify: "server.connection.identify"
    case .serverInfo, .probe: "server.info"
    case .printerInfo: "printer.info"
    case .objectsList: "printer.objects.list"
    case .query: "printer.objects.query"
    case .subscribe: "printer.objects.subscribe"
    case .metadata: "server.files.metadata"
    case .diskUsage: "server.files.get_directory"
    case .register: "connection.register_remote_method"
    }
  }

  /// The JSON-RPC parameters, nil for none. Those of ``identify`` hold the API key.
  package func parameters(_ settings: MoonrakerSettings) -> JSONObject? {
    switch self {
    case .identify(let name, let asAgent):
      var parameters: JSONObject = [
        "client_name": .string(name), "version": .string(Product.version),
        "type": .string(asAgent ? "agent" : "other"), "url": .string(settings.pageURL),
      ]
      if let key = settings.apiKey { parameters["api_key"] = .string(key.revealed) }
      return parameters
    case .query(_, let objects), .subscribe(_, let objects): return ["objects": .object(objects)]
    case .metadata(let filename): return ["filename": .string(filename)]
    case .diskUsage: return ["path": "gcodes"]
    case .register(let method): return ["method_name": .string(method)]
    case .serverInfo, .printerInfo, .objectsList, .probe: return nil
    }
  }
}
