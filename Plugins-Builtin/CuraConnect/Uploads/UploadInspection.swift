internal import Archives
internal import ConnectorKit
internal import Platform

/// Looks into an upload before the printer gets it: whether it is what its name says, how large it becomes, and in which
/// G-code it is written. Blocks: for ``offload(_:)``.
struct UploadInspection: Sendable {
  /// What is known of an upload then.
  struct Finding: Sendable, Hashable {
    /// Whether its G-code is Ultimaker's own, which neither homes nor heats.
    var isGriffin: Bool
  }
  /// So much of the G-code is looked at.
  private static let head = 4_096
  /// So much of what is packed is read for it; more than that holds nothing.
  private static let mostPacked: Int64 = 1 << 20
  private static let model = ["/3D/model.gcode", "3D/model.gcode"]

  let maximumUnpacked: Int64

  /// Looks at a file.
  ///
  /// - Throws: `UploadFailure`; what reading it throws.
  func inspect(_ path: String, _ kind: UploadName.Kind) throws -> Finding {
    let file = try OpenedFile(reading: path)
    let magic = try file.read(at: 0, 4)
    let found: UploadName.Kind =
      magic == [0x50, 0x4B, 3, 4] ? .ufp : magic.starts(with: [0x1F, 0x8B]) ? .gzip : .gcode
    guard found == kind else {
      throw UploadFailure(status: 415, problem: "the file is not what its name says")
    }
    let head =
      switch kind {
      case .gcode: try file.read(at: 0, Self.head)
      case .gzip: try Self.unpackedHead(.gzip) { try file.read(at: $0, $1) }
      case .ufp: try headOfModel(file)
      }
    return Finding(isGriffin: Self.isGriffin(head))
  }

  /// The first bytes of the G-code in a UFP whose directory keeps the limits.
  private func headOfModel(_ file: borrowing OpenedFile) throws -> [UInt8] {
    let directory: ZipDirectory
    let start: Int64
    let model: ZipDirectory.Entry
    do {
      directory = try ZipDirectory(size: file.size) { try file.read(at: $0, $1) }
      guard let found = directory.entries.first(where: { Self.model.contains($0.name) }) else {
        throw UploadFailure(status: 415, problem: "the UFP holds no /3D/model.gcode")
      }
      model = found
      start = try ZipDirectory.start(of: found) { try file.read(at: $0, $1) }
    } catch let error as ArchiveError {
      throw UploadFailure(status: 415, problem: error.description)
    }
    for entry in directory.entries {
      let parts = entry.name.utf8.split(separator: UInt8(ascii: "/"))
      guard !parts.contains(where: { $0.elementsEqual("..".utf8) }), !entry.name.utf8.contains(0),
        !entry.name.utf8.contains(UInt8(ascii: "\\"))
      else { throw UploadFailure(status: 415, problem: "a path in the UFP leads out of it") }
    }
    let total = directory.entries.reduce(Int64(0)) { $0 + $1.size }
    guard total <= maximumUnpacked else {
      throw UploadFailure(
        status: 413, problem: "the UFP holds more than \(maximumUnpacked >> 20) MB")
    }
    switch model.method {
    case 0: return try file.read(at: start, Int(min(model.size, Int64(Self.head))))
    case 8:
      let end = start + model.packedSize
      return try Self.unpackedHead(.bare) { offset, count in
        let left = Int(clamping: max(0, end - start - offset))
        return left == 0 ? [] : try file.read(at: start + offset, min(count, left))
      }
    default:
      throw UploadFailure(status: 415, problem: "the UFP is packed in a way that is not known")
    }
  }

  /// The first bytes that come out of a packed stream.
  private static func unpackedHead(
    _ form: Inflater.Form, _ read: (Int64, Int) throws -> [UInt8]
  ) throws -> [UInt8] {
    var inflater = try Inflater(form, limit: Int64(head) + (64 << 10))
    var unpacked: [UInt8] = []
    var offset: Int64 = 0
    while unpacked.count < head, offset < mostPacked {
      let packed = try read(offset, 4_096)
      guard !packed.isEmpty else { break }
      offset += Int64(packed.count)
      do {
        // A few bytes at a time: a bomb has no room to unfold.
        for start in stride(from: 0, to: packed.count, by: 32) where unpacked.count < head {
          try inflater.write(Array(packed[start..<min(packed.count, start + 32)])) {
            unpacked += $0
          }
        }
      } catch is Inflater.Failure {
        throw UploadFailure(status: 415, problem: "the file's packing is damaged")
      }
    }
    return Array(unpacked.prefix(head))
  }

  /// Whether a header line says `;FLAVOR:Griffin`.
  private static func isGriffin(_ head: [UInt8]) -> Bool {
    head.split(separator: 10).contains { line in
      let text = String(decoding: line.prefix(64).filter { $0 > 0x20 }, as: UTF8.self).lowercased()
      return text == ";flavor:griffin"
    }
  }
}
