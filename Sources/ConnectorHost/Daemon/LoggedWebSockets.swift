internal import ConnectorKit
internal import Networking
internal import Platform

/// A backend's WebSockets, the opening of which is noted with path, outcome and milliseconds at level debug.
///
/// The path only: queries and header fields may carry secrets.
struct LoggedWebSockets: WebSocketTransport {
  let base: any WebSocketTransport
  let log: Log
  let time: any TimeSource

  func open(_ request: WebSocketRequest) async throws(NetworkError) -> any MessageConnection {
    let start = time.now
    let name = "WebSocket \(URLParts(request.url)?.path ?? "?")"
    do {
      let connection = try await base.open(request)
      log(.debug, "\(name): open, \(start.milliseconds(to: time.now)) ms")
      return connection
    } catch {
      let outcome = error.httpStatus.map(String.init) ?? error.kind.rawValue
      log(.debug, "\(name): \(outcome), \(start.milliseconds(to: time.now)) ms")
      throw error
    }
  }
}

extension MonotonicInstant {
  /// Whole milliseconds from here to `other`.
  func milliseconds(to other: MonotonicInstant) -> Int64 {
    let parts = duration(to: other).components
    return parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000
  }
}
