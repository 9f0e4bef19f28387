import Archives
import Testing

@Suite("Unpacking") struct InflaterTests {
  private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    var packed: [UInt8] = []
    var writer = try GzipWriter()
    try writer.write(bytes) { packed += $0 }
    try writer.finish { packed += $0 }
    return packed
  }

  private func unpack(
    _ packed: [UInt8], pieces: Int = 1_000, limit: Int64 = 1 << 30
  ) throws -> [UInt8] {
    var unpacked: [UInt8] = []
    var inflater = try Inflater(.gzip, limit: limit)
    for start in stride(from: 0, to: packed.count, by: pieces) {
      try inflater.write(Array(packed[start..<min(packed.count, start + pieces)])) {
        unpacked += $0
      }
    }
    try inflater.finish()
    return unpacked
  }

  private var sample: [UInt8] { (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) } }

  @Test(
    "what was packed comes out again, in pieces of any size", arguments: [1, 7, 1_000, 1 << 20])
  func pieces(_ size: Int) throws {
    let sample = Array(sample.prefix(size == 1 ? 5_000 : 200_000))
    #expect(try unpack(try gzip(sample), pieces: size) == sample)
  }

  @Test("several members in a row are one content, and zeros behind them are padding")
  func members() throws {
    let packed = try gzip([1, 2]) + gzip([]) + gzip([3]) + [0, 0, 0]
    #expect(try unpack(packed) == [1, 2, 3])
    #expect(try unpack(packed, pieces: 1) == [1, 2, 3])
  }

  @Test("what is cut off or damaged is not whole")
  func damaged() throws {
    let packed = try gzip(sample)
    for length in [0, 1, 10, packed.count / 2, packed.count - 1] {
      #expect(throws: Inflater.Failure.damaged) { try unpack(Array(packed.prefix(length))) }
    }
    var broken = packed
    broken[packed.count / 2] ^= 0x55
    #expect(throws: Inflater.Failure.damaged) { try unpack(broken) }
    #expect(throws: Inflater.Failure.damaged) { try unpack(packed + [1, 2, 3]) }
  }

  @Test("a bomb is stopped at its limit")
  func bomb() throws {
    let packed = try gzip([UInt8](repeating: 0, count: 20 << 20))
    var unpacked = 0
    var inflater = try Inflater(.gzip, limit: 1 << 20)
    do {
      try inflater.write(packed) { unpacked += $0.count }
      Issue.record("it went off")
    } catch let failure as Inflater.Failure {
      #expect(failure == .tooLarge)
    }
    #expect(unpacked <= 1 << 20)
  }
}
