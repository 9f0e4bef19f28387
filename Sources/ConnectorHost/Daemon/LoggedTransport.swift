internal import ConnectorKit
internal import Networking
internal import Platform

/// A backend's HTTP client that notes method, path, status and milliseconds of every call at level debug.
///
/// The path only: queries and header fields may carry secrets.
struct LoggedTransport: HTTPTransport {
  let base: any HTTPTransport
  let log: Log
  let time: any TimeSource

  func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    let start = time.now
    do {
      let response = try await base.send(request)
      log(
        .debug,
        "\(Self.name(of: request)): \(response.status), \(start.milliseconds(to: time.now)) ms")
      return response
    } catch {
      log(
        .debug,
        "\(Self.name(of: request)): \(error.kind.rawValue), \(start.milliseconds(to: time.now)) ms")
      throw error
    }
  }

  private static func name(of request: HTTPRequest) -> String {
    "\(request.method) \(URLParts(request.url)?.path ?? "?")"
  }
}
