import Archives
import Testing

@Suite("Zip directories") struct ZipDirectoryTests {
  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// A zip with stored files.
  private func zip(_ files: [(name: String, content: [UInt8])], comment: [UInt8] = []) -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for (name, content) in files {
      let name = Array(name.utf8)
      let offset = bytes.count
      let sizes = little(content.count, 4) + little(content.count, 4)
      let common: [UInt8] = little(20, 2) + little(0, 2) + little(0, 2) + little(0, 8)
      bytes += [0x50, 0x4B, 3, 4] + common + sizes + little(name.count, 2) + little(0, 2)
      bytes += name + content
      directory += [0x50, 0x4B, 1, 2] + little(20, 2) + common + sizes
      directory += little(name.count, 2) + little(0, 2) + little(0, 2) + little(0, 8)
      directory += little(offset, 4) + name
    }
    let end =
      [0x50, 0x4B, 5, 6] + little(0, 4) + little(files.count, 2) + little(files.count, 2)
      + little(directory.count, 4) + little(bytes.count, 4) + little(comment.count, 2)
    return bytes + directory + end + comment
  }

  private func read(_ bytes: [UInt8]) throws -> ZipDirectory {
    try ZipDirectory(size: Int64(bytes.count)) { offset, count in
      guard offset >= 0, count >= 0 else {
        Issue.record("read outside of the file")
        return []
      }
      return Array(bytes.dropFirst(Int(offset)).prefix(count))
    }
  }

  @Test(
    "files are listed with their sizes and places", arguments: [[], Array("PK\u{5}\u{6}".utf8)])
  func files(_ comment: [UInt8]) throws {
    let bytes = zip([("/3D/model.gcode", [1, 2, 3]), ("b", [])], comment: comment)
    let directory = try read(bytes)
    #expect(directory.entries.map(\.name) == ["/3D/model.gcode", "b"])
    #expect(directory.entries.map(\.size) == [3, 0])
    let start = try ZipDirectory.start(of: directory.entries[0]) { offset, count in
      Array(bytes.dropFirst(Int(offset)).prefix(count))
    }
    #expect(Array(bytes.dropFirst(Int(start)).prefix(3)) == [1, 2, 3])
  }

  @Test("whatever is cut off is no zip")
  func cut() {
    let bytes = zip([("a", [1, 2, 3]), ("b", [4])])
    for length in 0..<bytes.count {
      #expect(throws: (any Error).self) { try read(Array(bytes.prefix(length))) }
    }
  }

  @Test("no byte can be changed so that it is read outside of the file")
  func hostile() {
    let bytes = zip([("a", [1, 2, 3]), ("b", [4])])
    for place in bytes.indices {
      for value in [0, 1, 0x7F, 0xFF] as [UInt8] {
        var hostile = bytes
        hostile[place] = value
        guard let directory = try? read(hostile) else { continue }
        for entry in directory.entries {
          #expect(entry.offset + entry.packedSize <= Int64(bytes.count))
        }
      }
    }
  }
}
