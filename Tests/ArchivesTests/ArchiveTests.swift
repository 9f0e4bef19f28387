import Archives
import Foundation
import Testing

@Suite("Archives", .timeLimit(.minutes(1))) struct ArchiveTests {
  private func gzip(_ pieces: [[UInt8]]) throws -> [UInt8] {
    var writer = try GzipWriter()
    var bytes: [UInt8] = []
    for piece in pieces { try writer.write(piece) { bytes += $0 } }
    try writer.finish { bytes += $0 }
    return bytes
  }

  /// What Python makes of an archive: one line per member with name, size, mode, time, type, and content in hex.
  private func read(_ archive: [UInt8]) throws -> [String] {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("archives-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("a.tar.gz")
    try Data(archive).write(to: file)
    let program = """
      import sys, tarfile
      with tarfile.open(sys.argv[1], "r:gz", encoding="utf-8") as archive:
          for member in archive:
              content = archive.extractfile(member).read()
              print(member.name, member.size, oct(member.mode), member.mtime, member.isreg(),
                    content[:40].hex(), sep="|")
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program, file.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test("Python reads what was written: names, sizes, modes, times, contents")
  func roundTrip() throws {
    let long = "config/" + String(repeating: "ä", count: 100) + "/printer.cfg"
    var tar = TarWriter()
    var bytes = tar.begin("config/printer.cfg", size: 3, modified: 1_700_000_000)
    bytes += tar.content(Array("abc".utf8))
    bytes += tar.begin(long, size: 512, modified: 1)
    bytes += tar.content([UInt8](repeating: 0x61, count: 512))
    bytes += tar.begin("empty.cfg", size: 0, modified: -5)
    bytes += tar.finish()
    let archive = try gzip(
      stride(from: 0, to: bytes.count, by: 100).map {
        Array(bytes[$0..<min(bytes.count, $0 + 100)])
      })
    #expect(
      try read(archive) == [
        "config/printer.cfg|3|0o644|1700000000|True|616263",
        "\(long)|512|0o644|1|True|\(String(repeating: "61", count: 40))",
        "empty.cfg|0|0o644|0|True|",
      ])
  }

  @Test("A file that grew is cut, one that shrank is filled up, and the next is whole")
  func changingFiles() throws {
    var tar = TarWriter()
    var bytes = tar.begin("grew.cfg", size: 2, modified: 0)
    bytes += tar.content(Array("a".utf8))
    bytes += tar.content(Array("bcd".utf8))
    #expect(tar.wanted == 0)
    bytes += tar.begin("shrank.cfg", size: 600, modified: 0)
    bytes += tar.content(Array("x".utf8))
    bytes += tar.begin("next.cfg", size: 1, modified: 0)
    bytes += tar.content(Array("n".utf8))
    bytes += tar.finish()
    #expect(bytes.count % 512 == 0)
    #expect(
      try read(gzip([bytes])) == [
        "grew.cfg|2|0o644|0|True|6162",
        "shrank.cfg|600|0o644|0|True|78\(String(repeating: "00", count: 39))",
        "next.cfg|1|0o644|0|True|6e",
      ])
  }

  @Test("Much that does not compress passes through in pieces of bounded size")
  func large() throws {
    var random = SystemRandomNumberGenerator()
    let noise = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    var tar = TarWriter()
    var writer = try GzipWriter()
    var archive: [UInt8] = []
    var largest = 0
    func sink(_ piece: [UInt8]) {
      largest = max(largest, piece.count)
      archive += piece
    }
    try writer.write(
      tar.begin("noise", size: Int64(noise.count), modified: 0) + tar.content(noise), to: sink)
    try writer.write(tar.finish(), to: sink)
    try writer.finish(to: sink)
    #expect(largest <= 32_768)
    let line = try #require(try read(archive).first)
    #expect(line.hasPrefix("noise|300000|"))
    #expect(line.hasSuffix(noise.prefix(40).map { String(format: "%02x", $0) }.joined()))
  }

  @Test("What the sink throws ends it")
  func failing() throws {
    var writer = try GzipWriter()
    #expect(throws: ArchiveError("full")) {
      try writer.write([UInt8](repeating: 1, count: 10)) { _ in throw ArchiveError("full") }
      try writer.finish { _ in throw ArchiveError("full") }
    }
  }
}
