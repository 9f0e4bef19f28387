internal import ConnectorKit
internal import Networking
internal import Platform

/// A backend's file transfers: by the staging folder, over the backend's own HTTP client.
struct HostTransfers: FileTransfers {
  /// So long nothing may move where the caller says nothing else.
  static let stallTimeout = Duration.seconds(30)

  let staging: StagingFolder
  let transport: any HTTPTransport
  let time: any TimeSource

  func stage(
    expectedSize: Int64, _ write: @escaping @Sendable (inout StagedFileWriter) throws -> Void
  ) async throws(TransferFailure) -> StagedFile {
    let isCancelled = Guarded(false)
    do {
      return try await withTaskCancellationHandler {
        try await offload { [staging] in
          guard expectedSize <= (try staging.room()) else { throw StagingFolder.full }
          let file = try StagingFile(in: staging) { isCancelled.withLock { $0 } }
          var writer = StagedFileWriter { try file.write($0) }
          try write(&writer)
          return try file.finish()
        }
      } onCancel: {
        isCancelled.withLock { $0 = true }
      }
    } catch {
      throw TransferFailure(error)
    }
  }

  func begin(expectedSize: Int64) async throws(TransferFailure) -> any StagingSink {
    try await UploadSink.open(in: staging, expectedSize: expectedSize)
  }

  func download(_ order: DownloadOrder) async throws(TransferFailure) -> StagedFile {
    let download = Download(order: order, staging: staging, transport: transport)
    let limit = order.timeLimit
    let result = await withTaskGroup(of: Result<StagedFile, TransferFailure>?.self) { group in
      group.addTask {
        do throws(TransferFailure) {
          return .success(try await download.run())
        } catch {
          return .failure(error)
        }
      }
      group.addTask { [time] in
        do { try await time.sleep(for: limit) } catch { return nil }
        return .failure(
          TransferFailure(.network, "the file was not there after \(limit.components.seconds) s"))
      }
      var first: Result<StagedFile, TransferFailure>?
      // The loser is waited for as well: it cleans up behind itself.
      for await result in group {
        if first == nil { first = result }
        group.cancelAll()
      }
      return first
    }
    guard let result else { throw .cancelled }
    return try result.get()
  }

  func send(
    _ file: StagedFile, as request: HTTPRequest
  ) async throws(TransferFailure) -> HTTPResponse {
    var request = request
    request.body = nil
    request.bodyFile = BodyFile(
      path: file.path, size: file.size, prefix: request.bodyFile?.prefix ?? [],
      suffix: request.bodyFile?.suffix ?? [])
    request.stallTimeout = request.stallTimeout ?? Self.stallTimeout
    // It is opened by its path: it must not go before that.
    defer { withExtendedLifetime(file) {} }
    do {
      return try await transport.send(request)
    } catch {
      throw TransferFailure(error)
    }
  }
}
