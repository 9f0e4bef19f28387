internal import ConnectorKit
internal import JSON
internal import Platform

/// Reads the audit from its end, page by page, across its rotations; nothing of it is kept in memory.
///
/// Blocks on the disk.
struct AuditPager {
  private static let chunk = 64 << 10
  private static let lineLimit = 64 << 10

  /// Where the present file is; the rotated ones stand beside it.
  let path: String
  /// So many bytes are looked through for one page, about; it then ends early, and says where to go on.
  var scanLimit = 1 << 20

  /// The newest lines that `query` wants.
  ///
  /// - Throws: `PlatformError` where a file may not be read; one that is not there is no error.
  func page(_ query: AuditQuery) throws(PlatformError) -> AuditPage {
    var scan = Scan(query: query, left: scanLimit)
    var isFound = query.before == nil
    for number in 0...AuditLog.backups {
      let name = number == 0 ? path : "\(path).\(number)"
      guard let information = try Files.information(name), information.kind == .file,
        let inode = information.fingerprint.dropFirst().first
      else { continue }
      var end = information.size
      if !isFound, let before = query.before {
        guard before.file == inode else { continue }
        isFound = true
        end = min(end, before.offset)
      }
      if let next = try scan.file(try OpenedFile(reading: name), inode, endingAt: end) {
        return AuditPage(lines: scan.lines, next: next)
      }
    }
    return AuditPage(lines: scan.lines)
  }

  /// What is gathered on the way.
  private struct Scan {
    let query: AuditQuery
    var left: Int
    var lines: [AuditLine] = []
    /// A line without these is not wanted, and need not be taken apart.
    private let marks: [[UInt8]]

    init(query: AuditQuery, left: Int) {
      self.query = query
      self.left = left
      marks =
        [
          query.backend.map { #""backend":"# + JSONValue.string($0).printable },
          query.status.map { #""status":""# + $0.rawValue + #"""# },
        ].compactMap { $0.map { Array($0.utf8) } }
    }

    /// Goes back from `end` to the file's start.
    ///
    /// - Returns: where the page is full or enough was looked at; nil at the start.
    mutating func file(
      _ file: borrowing OpenedFile, _ inode: Int64, endingAt end: Int64
    ) throws(PlatformError) -> AuditQuery.Position? {
      var position = end
      // The end of a line that begins in front of what was read.
      var rest: [UInt8] = []
      while position > 0 {
        guard left > 0 else {
          // A line without an end is none of ours, and must not be begun again and again.
          let kept = rest.count > AuditPager.lineLimit ? 0 : rest.count
          return .init(file: inode, offset: position + Int64(kept))
        }
        let count = Int(min(Int64(AuditPager.chunk), position))
        let bytes = try file.read(at: position - Int64(count), count)
        // Cut short meanwhile: what was read does not fit together any more.
        guard bytes.count == count else { return nil }
        position -= Int64(count)
        left -= count
        let block = bytes + (rest.count > AuditPager.lineLimit ? [] : rest)
        var lineEnd = block.count
        while let lineFeed = block[..<lineEnd].lastIndex(of: 0x0A) {
          add(Array(block[(lineFeed + 1)..<lineEnd]))
          lineEnd = lineFeed
          if lines.count == query.limit {
            return .init(file: inode, offset: position + Int64(lineFeed + 1))
          }
        }
        rest = Array(block[..<lineEnd])
      }
      add(rest)
      return lines.count == query.limit ? .init(file: inode, offset: 0) : nil
    }

    private mutating func add(_ bytes: [UInt8]) {
      guard !bytes.isEmpty, marks.allSatisfy({ bytes.firstIndex(ofBytes: $0) != nil }) else {
        return
      }
      switch AuditLine(bytes) {
      case .unreadable: break
      case .record(let record): if query.wants(record) { lines.append(.record(record)) }
      case .missing(let count, let at): lines.append(.missing(count, at: at))
      }
    }
  }
}
