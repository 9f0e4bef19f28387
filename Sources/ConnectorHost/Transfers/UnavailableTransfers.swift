internal import ConnectorKit
internal import Networking

/// Transfers of a daemon that has no staging folder.
struct UnavailableTransfers: FileTransfers {
  private static let failure = TransferFailure(
    .disk, "this host has no folder for files on their way; its log says why")

  func stage(
    expectedSize: Int64, _ write: @escaping @Sendable (inout StagedFileWriter) throws -> Void
  ) async throws(TransferFailure) -> StagedFile { throw Self.failure }

  func download(_ order: DownloadOrder) async throws(TransferFailure) -> StagedFile {
    throw Self.failure
  }

  func send(
    _ file: StagedFile, as request: HTTPRequest
  ) async throws(TransferFailure) -> HTTPResponse { throw Self.failure }
}
