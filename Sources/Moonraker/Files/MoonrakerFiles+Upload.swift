package import ConnectorKit
package import JSON
internal import Networking
internal import Platform

extension MoonrakerFiles {
  /// Streams a staged file into root `gcodes`; missing folders are made, a file of that name is replaced. Nothing is
  /// started and nothing repeated. One upload goes after the other.
  ///
  /// - Returns: Moonraker's `item`: `path` (of a `.ufp` the unpacked `.gcode`), `root`, `size`, `modified`, `permissions`.
  /// - Throws: `CommandFailure`: `.printerRefused` or `.transfer` with Moonraker's words and status, `.timeout` when
  ///   nothing moved for 30 s, `.notConnected`, `.invalid` for a name that Moonraker would change.
  package func upload(
    _ file: StagedFile, as path: GCodePath
  ) async throws(CommandFailure) -> JSONValue {
    let name = path.name.unicodeScalars
    guard let first = name.first, let last = name.last, !first.properties.isWhitespace,
      !last.properties.isWhitespace
    else {
      throw CommandFailure(.invalid, "a file's name must not begin or end with a space")
    }
    let form = MultipartForm(
      fields: [
        ("root", "gcodes"), ("path", path.folder ?? ""), ("checksum", file.sha256),
      ].filter { !$0.1.isEmpty }, filename: path.name)
    var request = HTTPRequest("POST", try await httpBase() + "/server/files/upload")
    request.fields = [HTTPField("Content-Type", form.contentType)]
    if let key = settings.apiKey {
      request.fields.append(HTTPField("X-Api-Key", key.revealed))
    }
    request.bodyFile = BodyFile(
      path: file.path, size: file.size, prefix: form.prefix, suffix: form.suffix)
    request.stallTimeout = .seconds(30)
    guard await turn.enter() else {
      throw CommandFailure(.interrupted, "ended before the file was sent to Moonraker")
    }
    defer { turn.leave() }
    let response: HTTPResponse
    do throws(NetworkError) { response = try await transport.send(request) } catch {
      throw CommandFailure(uploading: error)
    }
    let answer = try? JSONValue(parsing: response.body)
    guard response.status == 201 else {
      throw CommandFailure(uploadStatus: response.status, answer)
    }
    guard let item = answer?["item"], item.object != nil else {
      throw CommandFailure(
        .transfer, "Moonraker took the file but does not say where", mayHaveHappened: true,
        code: 201)
    }
    return item
  }

  /// The address that takes bytes, without a trailing slash: the configured one, or the one that Moonraker listens on.
  func httpBase() async throws(CommandFailure) -> String {
    if let configured = settings.httpAddress { return Self.withoutSlash(configured) }
    if case .http(let text) = settings.address { return Self.withoutSlash(text) }
    let server = try await ask("server.config")["config"]?["server"]
    return Self.localBase(server)
  }

  /// The address on this host of a Moonraker with this `[server]` section; what is missing is Moonraker's default.
  package static func localBase(_ server: JSONValue?) -> String {
    var host = server?["host"]?.string ?? ""
    if ["", "all", "0.0.0.0", "::", "*"].contains(host) { host = "127.0.0.1" }
    if host.utf8.contains(UInt8(ascii: ":")), host.utf8.first != UInt8(ascii: "[") {
      host = "[\(host.replacing(text: "%", with: "%25"))]"
    }
    let port = server?["port"]
    let number = port?.integer ?? port?.string.flatMap(Int64.init) ?? 7_125
    let prefix = (server?["route_prefix"]?.string ?? "").utf8.split(separator: UInt8(ascii: "/"))
      .map { "/" + (String($0) ?? "") }.joined()
    return "http://\(host):\(number)\(prefix)"
  }

  private static func withoutSlash(_ text: String) -> String {
    var base = text[...]
    while base.utf8.last == UInt8(ascii: "/") { base.removeLast() }
    return String(base)
  }
}

extension CommandFailure {
  /// Why no answer came to an upload.
  fileprivate init(uploading error: NetworkError) {
    let reason: CommandOutcome.Reason
    switch error.kind {
    case .timeout: reason = .timeout
    case .cancelled: reason = .interrupted
    case .connect, .nameLookup: reason = .notConnected
    default: reason = .transfer
    }
    self.init(
      reason, MoonrakerMessage.forPeople("sending the file to Moonraker: \(error.message)"),
      mayHaveHappened: error.requestMayHaveArrived)
  }

  /// What Moonraker's refusal of an upload means.
  fileprivate init(uploadStatus status: Int, _ answer: JSONValue?) {
    // Its message is the status's name as a rule; the reason stands in brackets at the end of its trace.
    let message = answer?["error"]?["message"]?.string ?? ""
    let trace = MoonrakerMessage.reason(inTrace: answer?["error"]?["traceback"]?.string ?? "")
    let isSaying = !["", "Unknown", "Forbidden", "Unauthorized", "Bad Request"].contains(message)
    let said = MoonrakerMessage.forPeople(trace ?? (isSaying ? message : ""))
    let words = said.isEmpty ? nil : said
    switch status {
    case 401:
      self.init(
        .printerRefused,
        "Moonraker wants an API key for uploads; give it in printer.api_key_file")
    case 403:
      self.init(.printerRefused, words ?? "Moonraker does not let this file be replaced now")
    case 413: self.init(.transfer, words ?? "larger than Moonraker's max_upload_size")
    case 422: self.init(.transfer, words ?? "the file did not arrive as it was sent")
    case 400..<500: self.init(.printerRefused, words ?? "Moonraker refused the file")
    default:
      self.init(
        .transfer, words ?? "Moonraker could not store the file", mayHaveHappened: status < 400)
    }
    code = status
  }
}
