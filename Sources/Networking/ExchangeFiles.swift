internal import Platform

/// The files of one exchange: opened and removed where that may block, read and written on the network thread.
struct ExchangeFiles: Sendable {
  /// Where the request's body comes from.
  var body: BodyReader?
  /// Where a 2xx answer's body goes to.
  var answer: ByteFile?

  /// None.
  init() {}

  /// Opens what `request` names.
  ///
  /// - Throws: `NetworkError.disk`; nothing stays behind then.
  static func open(
    for request: HTTPRequest, _ target: URLParts
  ) async throws(NetworkError) -> ExchangeFiles {
    guard request.bodyFile != nil || request.answerFile != nil else { return ExchangeFiles() }
    do {
      return try await offload {
        var files = ExchangeFiles()
        files.body = try request.bodyFile.map { try BodyReader($0) }
        files.answer = try request.answerFile.map { try ByteFile(creating: $0) }
        return files
      }
    } catch {
      throw Self.failure(error, target, isUnderWay: false)
    }
  }

  /// Removes the answer's file, which this exchange has made.
  func discard() async {
    guard let path = answer?.path else { return }
    // Where even this fails, the folder's owner finds it at the next start.
    try? await offload { try Files.remove(path) }
  }

  /// What a caller is told of a file's failure: no path.
  static func failure(
    _ error: any Error, _ target: URLParts, isUnderWay: Bool
  ) -> NetworkError {
    var what = "a file on this host cannot be used"
    if let error = error as? PlatformError {
      what = "cannot \(error.operation) a file on this host: \(error.reason)"
      if !error.remedy.isEmpty { what += "; \(error.remedy)" }
    }
    return NetworkError(
      .disk, "\(target.hostAndPort): \(what)", requestMayHaveArrived: isUnderWay)
  }
}
