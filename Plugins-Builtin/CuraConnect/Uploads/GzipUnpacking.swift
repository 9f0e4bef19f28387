internal import Archives
internal import ConnectorKit
internal import Platform

/// Unpacks a gzipped upload into another staged file: Moonraker takes none that are packed.
struct GzipUnpacking: Sendable {
  let transfers: any FileTransfers
  let maximumUnpacked: Int64

  /// Unpacks `packed`.
  ///
  /// - Throws: `UploadFailure`; nothing stays behind then.
  func unpack(_ packed: StagedFile) async throws(UploadFailure) -> StagedFile {
    let path = packed.path
    let limit = maximumUnpacked
    defer { withExtendedLifetime(packed) {} }
    let failure = Guarded<UploadFailure?>(nil)
    do throws(TransferFailure) {
      // How large it becomes is not known; the disk's room is looked at as it grows.
      return try await transfers.stage(expectedSize: packed.size) { writer in
        do {
          let file = try OpenedFile(reading: path)
          var inflater = try Inflater(.gzip, limit: limit)
          while true {
            let piece = try file.read()
            guard !piece.isEmpty else { break }
            try inflater.write(piece) { try writer.write($0) }
          }
          try inflater.finish()
        } catch let error as Inflater.Failure {
          failure.withLock { $0 = Self.failure(error, limit) }
          throw TransferFailure(.wrongContent, "unpacking failed")
        }
      }
    } catch {
      throw failure.withLock { $0 } ?? UploadReceiver.failure(error)
    }
  }

  private static func failure(_ failure: Inflater.Failure, _ limit: Int64) -> UploadFailure {
    switch failure {
    case .tooLarge:
      UploadFailure(status: 413, problem: "it unpacks to more than \(limit >> 20) MB")
    case .damaged: UploadFailure(status: 415, problem: "the file's packing is damaged")
    }
  }
}
