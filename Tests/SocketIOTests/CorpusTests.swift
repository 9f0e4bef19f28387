import Foundation
import FuzzProperties
import TestSupport
import Testing

@Suite("Socket.IO: what fuzzing has kept") struct CorpusTests {
  private static func corpus(_ name: String) throws -> [[UInt8]] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Fuzz/corpus/\(name)").standardizedFileURL
    return try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil
    ).map { try [UInt8](Data(contentsOf: $0)) }
  }

  @Test("Every kept conversation of Engine.IO holds what fuzzing checks")
  func engineIO() throws {
    let kept = try Self.corpus("engineio")
    #expect(kept.count > 10)
    for bytes in kept { checkEngineIO(bytes) }
  }

  @Test("Every kept conversation of Socket.IO holds what fuzzing checks")
  func socketIO() throws {
    let kept = try Self.corpus("socketio")
    #expect(kept.count > 10)
    for bytes in kept { checkSocketIO(bytes) }
  }

  @Test("Damaged and cut off in thousands of ways, the conversations still do", arguments: 0..<4)
  func damaged(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let interesting = Array("0123456789[]{}\",:/-\\".utf8) + [0x00, 0x01, 0x02, 0x1E, 0x80, 0xFF]
    for original in try Self.corpus("engineio") + Self.corpus("socketio") {
      for _ in 0..<60 {
        var bytes = original
        for _ in 0..<Int.random(in: 1...5, using: &random) where !bytes.isEmpty {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<5, using: &random) {
          case 0: bytes[place] = interesting.randomElement(using: &random) ?? 0
          case 1: bytes.insert(interesting.randomElement(using: &random) ?? 0, at: place)
          case 2: bytes.remove(at: place)
          case 3: bytes.removeSubrange(place...)
          default: bytes += bytes[place...].prefix(60)
          }
        }
        checkEngineIO(bytes)
        checkSocketIO(bytes)
      }
    }
  }
}
