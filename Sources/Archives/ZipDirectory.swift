/// The central directory of a zip (PKWARE's APPNOTE 4.3.12): what the archive says it holds. Nothing is unpacked.
///
/// Read from a file by pieces that the caller fetches; each number in it is hostile. Archives of several disks, encrypted
/// entries and the 64-bit form are refused: no slicer writes them.
package struct ZipDirectory: Sendable {
  /// One file of the archive.
  package struct Entry: Sendable, Hashable {
    /// Its path as it stands there.
    package var name: String
    /// How it is packed: 0 stored, 8 deflated.
    package var method: Int
    /// Bytes in the archive.
    package var packedSize: Int64
    /// Bytes as announced.
    package var size: Int64
    /// Where its local header is.
    package var offset: Int64
  }
  /// Its files, in the directory's order.
  package var entries: [Entry]

  private static let endSignature: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
  private static let endLength = 22
  private static let entryLength = 46
  private static let localLength = 30
  /// The most files that are looked at.
  private static let mostEntries = 1_000
  /// The largest directory that is read, in bytes.
  private static let mostBytes: Int64 = 1 << 20

  /// Reads the directory of a file of `size` bytes.
  ///
  /// - Parameter read: so many bytes from an offset; fewer only at the end of the file. Offsets and counts are inside of it.
  /// - Throws: `ArchiveError`, and what `read` throws.
  package init(size: Int64, read: (_ offset: Int64, _ count: Int) throws -> [UInt8]) throws {
    // The end record stands before a comment of up to 64 KiB.
    let tailLength = Int(min(size, Int64(Self.endLength + 65_535)))
    let tail = try read(size - Int64(tailLength), tailLength)
    guard tail.count == tailLength, tail.count >= Self.endLength else { throw Self.noZip }
    guard let end = Self.end(in: tail) else { throw Self.noZip }
    let disks = Self.number(tail, end + 4, 2) + Self.number(tail, end + 6, 2)
    let count = Self.number(tail, end + 10, 2)
    let length = Self.number(tail, end + 12, 4)
    let offset = Self.number(tail, end + 16, 4)
    guard disks == 0, count == Self.number(tail, end + 8, 2), count <= Self.mostEntries,
      length <= Self.mostBytes, offset + length <= size - Int64(tailLength) + Int64(end)
    else { throw ArchiveError("the zip's directory is damaged, or larger than allowed") }
    let directory = try read(offset, Int(length))
    guard directory.count == Int(length) else { throw Self.noZip }
    entries = []
    var place = 0
    for _ in 0..<count {
      guard let (entry, next) = try Self.entry(in: directory, at: place) else { throw Self.noZip }
      guard entry.offset + Int64(Self.localLength) + entry.packedSize <= offset else {
        throw ArchiveError("the zip's directory points outside of the file")
      }
      entries.append(entry)
      place = next
    }
  }

  /// Where an entry's packed bytes begin: behind its local header, which is read.
  ///
  /// - Throws: `ArchiveError`, and what `read` throws.
  package static func start(
    of entry: Entry, read: (_ offset: Int64, _ count: Int) throws -> [UInt8]
  ) throws -> Int64 {
    let header = try read(entry.offset, localLength)
    guard header.count == localLength, header.starts(with: [0x50, 0x4B, 0x03, 0x04]) else {
      throw noZip
    }
    return entry.offset + Int64(localLength) + number(header, 26, 2) + number(header, 28, 2)
  }

  private static var noZip: ArchiveError { ArchiveError("the file is no zip, or it is cut off") }

  private static func end(in tail: [UInt8]) -> Int? {
    var place = tail.count - endLength
    while place >= 0 {
      if tail[place...].starts(with: endSignature),
        number(tail, place + 20, 2) == Int64(tail.count - place - endLength)
      {
        return place
      }
      place -= 1
    }
    return nil
  }

  private static func entry(
    in directory: [UInt8], at place: Int
  ) throws(ArchiveError) -> (Entry, Int)? {
    guard place + entryLength <= directory.count,
      directory[place...].starts(with: [0x50, 0x4B, 0x01, 0x02])
    else { return nil }
    let flags = number(directory, place + 8, 2)
    let nameLength = Int(number(directory, place + 28, 2))
    let extra = Int(number(directory, place + 30, 2)) + Int(number(directory, place + 32, 2))
    let start = place + entryLength
    guard start + nameLength + extra <= directory.count else { return nil }
    guard flags & 1 == 0 else { throw ArchiveError("the zip is encrypted") }
    let (packed, size) = (number(directory, place + 20, 4), number(directory, place + 24, 4))
    let offset = number(directory, place + 42, 4)
    guard packed != 0xFFFF_FFFF, size != 0xFFFF_FFFF, offset != 0xFFFF_FFFF else {
      throw ArchiveError("the zip is in the 64-bit form, which is not read here")
    }
    guard let name = String(validating: directory[start..<(start + nameLength)], as: UTF8.self)
    else { throw ArchiveError("a name in the zip is not UTF-8") }
    let entry = Entry(
      name: name, method: Int(number(directory, place + 10, 2)), packedSize: packed, size: size,
      offset: offset)
    return (entry, start + nameLength + extra)
  }

  /// A little-endian number of up to 4 bytes; the caller has checked that they are there.
  private static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int64 {
    guard place >= 0, place + count <= bytes.count else { return 0 }
    return bytes[place..<(place + count)].reversed().reduce(0) { $0 << 8 | Int64($1) }
  }
}
