package import ConnectorKit
internal import Networking

extension MoonrakerFiles {
  /// The first bytes of a file of root `gcodes`.
  ///
  /// - Parameter limit: at most so many bytes are fetched and returned; 1…16 MiB.
  /// - Throws: `CommandFailure`, after 10 s at the latest.
  package func read(
    _ path: GCodePath, upTo limit: Int
  ) async throws(CommandFailure) -> [UInt8] {
    let limit = min(max(limit, 1), 16 << 20)
    let escaped = path.text.utf8.split(separator: UInt8(ascii: "/"))
      .map { URLParts.escape(String(Substring($0))) }.joined(separator: "/")
    var request = HTTPRequest("GET", try await httpBase() + "/server/files/gcodes/\(escaped)")
    request.fields = [HTTPField("Range", "bytes=0-\(limit - 1)")]
    if let key = settings.apiKey { request.fields.append(HTTPField("X-Api-Key", key.revealed)) }
    request.answerLimit = limit + (64 << 10)
    // A server that does not know ranges is stopped where it has said enough.
    request.endsAnswer = { $0.count >= limit }
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
    return Array(response.body.prefix(limit))
  }
}
