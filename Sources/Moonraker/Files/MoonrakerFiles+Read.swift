package import ConnectorKit
internal import Cryptography
internal import Networking
internal import Platform

extension MoonrakerFiles {
  /// The first bytes of a file of root `gcodes`.
  ///
  /// - Parameter limit: at most so many bytes are fetched and returned; 1…16 MiB.
  /// - Throws: `CommandFailure`, after 10 s at the latest.
  package func read(
    _ path: GCodePath, upTo limit: Int
  ) async throws(CommandFailure) -> [UInt8] {
    let limit = min(max(limit, 1), 16 << 20)
    var request = try await self.request(for: path)
    request.fields.append(HTTPField("Range", "bytes=0-\(limit - 1)"))
    request.answerLimit = limit + (64 << 10)
    // A server that does not know ranges is stopped where it has said enough.
    request.endsAnswer = { $0.count >= limit }
    return Array(try await answer(to: request).body.prefix(limit))
  }

  /// The SHA-256 of the bytes that a file of root `gcodes` has now: 64 lower-case digits. They pass through and are not
  /// kept.
  ///
  /// - Throws: `CommandFailure`, where nothing came for 10 s at the latest.
  package func sha256(of path: GCodePath) async throws(CommandFailure) -> String {
    let digest = Guarded(RunningDigest(.sha256))
    var request = try await self.request(for: path)
    request.answerLimit = 16 << 30
    request.stallTimeout = .seconds(10)
    request.takesPiece = { piece in
      digest.withLock { $0?.update(piece) }
      return true
    }
    _ = try await answer(to: request)
    guard let hex = digest.withLock({ $0?.hex() }) else {
      throw CommandFailure(.transfer, "this host cannot compute a SHA-256")
    }
    return hex
  }

  private func request(for path: GCodePath) async throws(CommandFailure) -> HTTPRequest {
    let escaped = path.text.utf8.split(separator: UInt8(ascii: "/"))
      .map { URLParts.escape(String(Substring($0))) }.joined(separator: "/")
    var request = HTTPRequest("GET", try await httpBase() + "/server/files/gcodes/\(escaped)")
    if let key = settings.apiKey { request.fields.append(HTTPField("X-Api-Key", key.revealed)) }
    return request
  }

  private func answer(to request: HTTPRequest) async throws(CommandFailure) -> HTTPResponse {
    let response: HTTPResponse
    do throws(NetworkError) { response = try await transport.send(request) } catch {
      throw CommandFailure(
        .notConnected, MoonrakerMessage.forPeople("reading from Moonraker: \(error.message)"))
    }
    guard response.isSuccess else {
      throw CommandFailure(
        .printerRefused, "Moonraker does not give the file (\(response.status))",
        code: response.status)
    }
    return response
  }
}
