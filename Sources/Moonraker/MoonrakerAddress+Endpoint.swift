internal import Networking

/// What one connects to at an address.
package enum MoonrakerEndpoint: Sendable, Hashable {
  /// The URL of the WebSocket.
  case webSocket(String)
  /// The path of the Unix socket.
  case unixSocket(String)
}

extension MoonrakerAddress {
  /// The JSON-RPC end: `ws://host:7125[/prefix]/websocket`, `wss://…` for `https://…`, or the Unix socket.
  package var endpoint: MoonrakerEndpoint {
    switch self {
    case .unixSocket(let path): return .unixSocket(path)
    case .http(let text):
      var base = Substring(text)
      while base.hasSuffix("/") { base.removeLast() }
      if base.lowercased().hasPrefix("https://") {
        return .webSocket("wss://\(base.dropFirst("https://".count))/websocket")
      }
      if base.lowercased().hasPrefix("http://") { base = base.dropFirst("http://".count) }
      return .webSocket("ws://\(base)/websocket")
    }
  }

  /// The host that Moonraker runs on, IPv6 without brackets; `127.0.0.1` behind a Unix socket.
  package var host: String {
    switch self {
    case .http(let text): URLParts(text)?.host ?? "127.0.0.1"
    case .unixSocket: "127.0.0.1"
    }
  }

  /// The address for people; never holds a secret because the configuration refuses addresses with user names.
  package var display: String {
    switch self {
    case .http(let text): text
    case .unixSocket(let path): "unix:\(path)"
    }
  }
}
