internal import ConnectorKit
internal import Platform

/// An upload on its way into the staging folder. All that blocks happens beside the cooperative pool.
final class UploadSink: StagingSink, @unchecked Sendable {
  // @unchecked: the file is used by one call at a time, as the protocol says.
  private let file: StagingFile

  /// A new file, where the disk has room for it.
  ///
  /// - Throws: `TransferFailure`.
  static func open(
    in staging: StagingFolder, expectedSize: Int64
  ) async throws(TransferFailure) -> UploadSink {
    do {
      return try await offload {
        guard expectedSize <= (try staging.room()) else { throw StagingFolder.full }
        return UploadSink(try StagingFile(in: staging, isCancelled: { false }))
      }
    } catch {
      throw TransferFailure(error)
    }
  }

  private init(_ file: StagingFile) { self.file = file }

  func write(_ bytes: [UInt8]) async throws(TransferFailure) {
    do { try await offload { [self] in try file.write(bytes) } } catch {
      throw TransferFailure(error)
    }
  }

  func finish() async throws(TransferFailure) -> StagedFile {
    do { return try await offload { [self] in try file.finish() } } catch {
      throw TransferFailure(error)
    }
  }
}
