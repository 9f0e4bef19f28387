internal import ConnectorKit
internal import HTTPServer
internal import Platform

/// Takes one upload from the network to the disk, never more than a piece of it in memory.
struct UploadReceiver: Sendable {
  /// The longest text field that is kept, in bytes.
  private static let mostText = 1_024

  /// The most that a form may hold beside the file, in bytes.
  static let mostForm: Int64 = 64 << 10

  /// The least that comes in a second, on the whole, after the first minute: who drips keeps others from printing.
  private static let slowest: Int64 = 16 << 10

  let time: any TimeSource
  let transfers: any FileTransfers
  let maximumSize: Int64

  /// Reads all of a request's body.
  ///
  /// - Parameter announced: the body's length, where the request names it.
  /// - Returns: the staged file; nothing stays behind where it throws.
  /// - Throws: `UploadFailure`; `RequestBody.BrokenOff` where nobody is there to be told.
  func receive(
    _ body: RequestBody, contentType: String, announced: Int64?
  ) async throws -> ReceivedUpload {
    guard var reader = MultipartReader(contentType: contentType) else {
      throw UploadFailure(status: 400, problem: "this is no multipart/form-data with a boundary")
    }
    let sink = try await begin(announced ?? 0)
    var field = ""
    var text: [UInt8] = []
    var owner = ""
    var name: UploadName?
    var isFile = false
    var size: Int64 = 0
    var total: Int64 = 0
    let begin = time.now
    while let piece = try await body.next() {
      // Whatever it belongs to: a form's own bytes are few.
      total += Int64(piece.count)
      guard total <= maximumSize + Self.mostForm else { throw tooLarge.of(name) }
      let seconds = begin.duration(to: time.now).components.seconds
      guard seconds <= 60 || total / seconds >= Self.slowest else {
        body.giveUp()
        throw UploadFailure(status: 408, problem: "the upload came too slowly").of(name)
      }
      for event in try Self.read(piece, by: &reader) {
        switch event {
        case .part(let partName, let filename):
          field = partName
          text = []
          isFile = partName == "file" && name == nil
          guard isFile else { continue }
          name = UploadName(filename ?? "")
          guard name != nil else {
            throw UploadFailure(
              status: 415, problem: "only .ufp, .gcode.gz, .gcode, .gco, .g and .nc are taken")
          }
        case .data(let bytes) where isFile:
          size += Int64(bytes.count)
          guard size <= maximumSize else { throw tooLarge.of(name) }
          do throws(TransferFailure) { try await sink.write(bytes) } catch {
            throw Self.failure(error).of(name)
          }
        case .data(let bytes):
          text += bytes.prefix(max(0, Self.mostText - text.count))
        case .partEnd:
          if field == "owner" { owner = Self.clean(text) }
          isFile = false
        }
      }
    }
    guard reader.isComplete, let name, size > 0 else { throw UploadFailure.cutOff.of(name) }
    do throws(TransferFailure) {
      return ReceivedUpload(file: try await sink.finish(), name: name, owner: owner)
    } catch {
      throw Self.failure(error)
    }
  }

  /// The failure of an upload that is larger than the owner allows.
  var tooLarge: UploadFailure {
    UploadFailure(status: 413, problem: "the upload is larger than \(maximumSize >> 20) MB")
  }

  private func begin(_ size: Int64) async throws(UploadFailure) -> any StagingSink {
    do throws(TransferFailure) {
      return try await transfers.begin(expectedSize: min(size, maximumSize))
    } catch {
      throw Self.failure(error)
    }
  }

  private static func read(
    _ piece: [UInt8], by reader: inout MultipartReader
  ) throws(UploadFailure) -> [MultipartReader.Event] {
    do throws(MultipartReader.Failure) { return try reader.read(piece) } catch {
      throw UploadFailure(status: 400, problem: error.problem)
    }
  }

  /// What the disk's failure means to the sender.
  static func failure(_ failure: TransferFailure) -> UploadFailure {
    UploadFailure(status: failure.kind == .disk ? 507 : 503, problem: failure.description)
  }

  /// Text from the network as one line that can be shown.
  static func clean(_ bytes: [UInt8]) -> String {
    var text = ""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars.prefix(128) {
      switch scalar.value {
      case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: text += " "
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
