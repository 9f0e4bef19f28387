import JSON
import TestSupport
import Testing

@Suite("JSON under random input") struct JSONFuzzTests {
  @Test("Every generated document is written, read and written alike")
  func roundTrips() throws {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<2_000 {
      let value = GeneratedDocument.value(using: &random)
      let bytes = value.serialized()
      let read = try JSONValue(parsing: bytes)
      #expect(read == value)
      #expect(read.serialized() == bytes)
    }
  }

  @Test("A damaged document is refused, or read as something that is written and read alike")
  func survivesDamage() throws {
    var random = SeededGenerator(seed: 7)
    var refused = 0
    for _ in 0..<4_000 {
      var bytes = GeneratedDocument.value(using: &random, depth: 3).serialized()
      for _ in 0...Int.random(in: 0...3, using: &random) {
        let position = Int.random(in: 0..<max(bytes.count, 1), using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where position < bytes.count:
          bytes[position] = UInt8.random(in: 0...255, using: &random)
        case 1 where position < bytes.count: bytes.remove(at: position)
        case 2:
          bytes.insert("{}[]\",:\\-.eE0".utf8.randomElement(using: &random) ?? 0, at: position)
        default: bytes.removeSubrange(position...)
        }
      }
      do {
        let value = try JSONValue(parsing: bytes)
        #expect(try JSONValue(parsing: value.serialized()) == value)
      } catch {
        refused += 1
        #expect((0...bytes.count).contains(error.offset))
      }
    }
    #expect(refused > 1_000)
  }
}
