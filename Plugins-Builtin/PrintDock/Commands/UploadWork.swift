internal import ConnectorKit
internal import JSON

/// The backend's part of an upload: from base64 in the answer's bytes to a staged file, piece by piece, and on to the
/// printer.
struct UploadWork: Sendable {
  let content: HeldContent
  let transfers: any FileTransfers

  /// - Throws: `CommandFailure` with the text that PrintDock is told.
  func run(_ printer: any GatedPrinter) async throws(CommandFailure) -> JSONValue? {
    guard let slice = content.take() else {
      throw CommandFailure(.interrupted, "the content is no longer there")
    }
    let file = try await stage(slice)
    content.decodedSize = file.size
    do throws(CommandFailure) {
      return try await printer.upload(file)
    } catch {
      var failure = error
      failure.message =
        "failed to upload file to moonraker: \(Completion.spelled(code: error.code))\(error.message)"
      failure.code = nil
      throw failure
    }
  }

  private func stage(_ slice: JSONSlice) async throws(CommandFailure) -> StagedFile {
    do throws(TransferFailure) {
      return try await transfers.stage(expectedSize: Int64(slice.count / 4 * 3)) { writer in
        var decoder = Base64Decoder()
        do {
          try slice.forEachPiece { piece in try writer.write(try decoder.decode(piece)) }
          try decoder.finish()
        } catch let defect as Base64Decoder.Defect {
          throw Self.broken("illegal base64 data at input byte \(defect.offset)")
        } catch let error as JSONError {
          throw Self.broken("illegal base64 data: \(error.problem)")
        }
      }
    } catch {
      if error.kind == .wrongContent { throw CommandFailure(.invalid, error.description) }
      throw CommandFailure(.transfer, "failed to upload file to moonraker: \(error.description)")
    }
  }

  private static func broken(_ problem: String) -> TransferFailure {
    TransferFailure(.wrongContent, "failed to decode base64 content: \(problem)")
  }
}
