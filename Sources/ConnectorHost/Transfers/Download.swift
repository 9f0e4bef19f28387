internal import ConnectorKit
internal import Cryptography
internal import Networking
internal import Platform

/// One download from its first request to a file that was looked through.
struct Download: Sendable {
  let order: DownloadOrder
  let staging: StagingFolder
  let transport: any HTTPTransport

  /// Fetches the file; redirects are followed one by one, each a request like the first.
  ///
  /// - Throws: `TransferFailure`; nothing stays behind then.
  func run() async throws(TransferFailure) -> StagedFile {
    var request = order.request
    var redirects = min(max(order.redirects, 0), 5)
    request.stallTimeout = request.stallTimeout ?? HostTransfers.stallTimeout
    request.acceptsCompression = false
    request.onFileProgress = order.onProgress
    while true {
      let room = try await offloaded { try staging.room() }
      request.fileLimit = max(1, min(order.maximumSize, room))
      let path = staging.newPath()
      request.answerFile = path
      let response = try await send(request, room: room)
      if response.isSuccess { return try await checked(path, response) }
      guard let next = try redirected(request, response, remaining: redirects) else {
        throw TransferFailure(
          .status, "\(Self.name(of: request)) answered \(response.status)", status: response.status)
      }
      redirects -= 1
      request = next
    }
  }

  private func send(
    _ request: HTTPRequest, room: Int64
  ) async throws(TransferFailure) -> HTTPResponse {
    do {
      return try await transport.send(request)
    } catch {
      if error.kind == .tooLarge, room < order.maximumSize { throw StagingFolder.full }
      throw TransferFailure(error)
    }
  }

  // MARK: Redirects

  /// The request that a redirect asks for; nil when the answer is none that is followed.
  private func redirected(
    _ request: HTTPRequest, _ response: HTTPResponse, remaining: Int
  ) throws(TransferFailure) -> HTTPRequest? {
    guard [301, 302, 303, 307, 308].contains(response.status), order.redirects > 0,
      request.method == "GET", let location = response[field: "Location"]
    else { return nil }
    let name = Self.name(of: request)
    guard remaining > 0 else {
      throw TransferFailure(
        .status, "\(name) redirects after \(order.redirects) redirects", status: response.status)
    }
    guard let url = URLParts.resolve(location, from: request.url), let target = URLParts(url),
      let source = URLParts(request.url), ["http", "https"].contains(target.scheme),
      !target.hasCredentials
    else {
      throw TransferFailure(.forbiddenAddress, "\(name) redirects to no http or https address")
    }
    guard source.scheme == "http" || target.scheme == "https" else {
      throw TransferFailure(
        .forbiddenAddress, "\(name) redirects to \(target.origin), away from TLS")
    }
    guard order.origins?.contains(target.origin) ?? true else {
      throw TransferFailure(
        .forbiddenAddress, "\(name) redirects to \(target.origin), which is not allowed")
    }
    var next = request
    next.url = url
    // Somebody else must not learn what proves who we are.
    if target.origin != source.origin {
      next.fields.removeAll { !["accept", "user-agent"].contains($0.name.lowercased()) }
    }
    return next
  }

  private static func name(of request: HTTPRequest) -> String {
    URLParts(request.url)?.origin ?? "the server"
  }

  // MARK: What came

  /// The file at `path`, if it is what was ordered; removed otherwise.
  private func checked(
    _ path: String, _ response: HTTPResponse
  ) async throws(TransferFailure) -> StagedFile {
    do throws(TransferFailure) {
      try checkAnswer(response)
      let (size, sha256) = try await offloaded { try Self.digest(of: path) }
      if Task.isCancelled { throw .cancelled }
      guard size == response.writtenBytes else { throw .changed }
      if let wanted = order.sha256?.lowercased(), wanted != sha256 {
        throw TransferFailure(.wrongContent, "the file has not the SHA-256 that was promised")
      }
      return StagedFile(path: path, size: size, sha256: sha256)
    } catch {
      // What even this leaves behind goes at the next start.
      _ = try? await offload { try Files.remove(path) }
      throw error
    }
  }

  private func checkAnswer(_ response: HTTPResponse) throws(TransferFailure) {
    guard response.status == 200 else {
      throw TransferFailure(
        .status, "the server answered \(response.status) instead of the whole file",
        status: response.status)
    }
    let type = response[field: "Content-Type"]?.lowercased().prefix { $0 != ";" && $0 != " " }
    if let type, order.refusedTypes.contains(String(type)) {
      throw TransferFailure(.wrongContent, "the server sent \(type.prefix(60)), not a file")
    }
    if let encoding = response[field: "Content-Encoding"]?.lowercased(), encoding != "identity" {
      throw TransferFailure(.wrongContent, "the server sent the file compressed, unasked")
    }
    if response.writtenBytes == 0 {
      throw TransferFailure(.wrongContent, "the file is empty")
    }
  }

  /// The size and digest of what lies on the disk; blocks.
  private static func digest(of path: String) throws -> (size: Int64, sha256: String) {
    guard let digest = RunningDigest(.sha256) else { throw TransferFailure.noDigest }
    let file = try ByteFile(reading: path)
    var size: Int64 = 0
    while true {
      let bytes = try file.read(atMost: 64 << 10)
      if bytes.isEmpty { break }
      digest.update(bytes)
      size += Int64(bytes.count)
    }
    guard let sha256 = digest.hex() else { throw TransferFailure.noDigest }
    return (size, sha256)
  }

  private func offloaded<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws(TransferFailure) -> Value {
    do { return try await offload(body) } catch { throw TransferFailure(error) }
  }
}
