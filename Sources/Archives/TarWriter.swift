/// Writes a tape archive (GNU format): regular files with long names, mode 0644, no owner.
///
/// A value: the bytes of the archive come back from each call, in order. A file is exactly as long as it was announced:
/// what is too much is cut off, what is missing becomes zeros, so that a file that changes while it is read does not
/// spoil those after it.
package struct TarWriter: Sendable {
  private static let block = 512
  /// Bytes of the present member that are still to come.
  private var missing: Int64 = 0
  /// Zeros after the present member, up to a whole block.
  private var padding = 0

  /// An archive without members.
  package init() {}

  /// Ends the member before, and begins a file.
  ///
  /// - Parameters:
  ///   - name: its path in the archive, with `/`; no control characters.
  ///   - size: its size in bytes, not negative.
  ///   - modified: when it was changed, seconds since 1970; before that counts as then.
  package mutating func begin(_ name: String, size: Int64, modified: Int64) -> [UInt8] {
    var bytes = end()
    let name = Array(name.utf8)
    if name.count > 100 {
      // GNU's way: a member of type L whose content is the name of the next, ended by NUL.
      bytes += Self.header(
        Array("././@LongLink".utf8), size: Int64(name.count) + 1, modified: 0,
        type: UInt8(ascii: "L"))
      bytes += name
      bytes.append(0)
      bytes += [UInt8](repeating: 0, count: Self.padding(after: Int64(name.count) + 1))
    }
    missing = max(0, size)
    padding = Self.padding(after: missing)
    bytes += Self.header(
      Array(name.prefix(100)), size: missing, modified: max(0, modified), type: UInt8(ascii: "0"))
    return bytes
  }

  /// The next bytes of the file that was begun.
  package mutating func content(_ bytes: [UInt8]) -> [UInt8] {
    let taken = min(Int64(bytes.count), missing)
    missing -= taken
    return taken == Int64(bytes.count) ? bytes : Array(bytes.prefix(Int(taken)))
  }

  /// How many bytes the file that was begun still wants.
  package var wanted: Int64 { missing }

  /// Ends the last member and the archive.
  package mutating func finish() -> [UInt8] {
    end() + [UInt8](repeating: 0, count: 2 * Self.block)
  }

  /// What is left of the present member: at most its announced size in zeros, and the padding.
  private mutating func end() -> [UInt8] {
    defer { (missing, padding) = (0, 0) }
    return [UInt8](repeating: 0, count: Int(clamping: missing) + padding)
  }

  private static func padding(after size: Int64) -> Int {
    Int((Int64(block) - size % Int64(block)) % Int64(block))
  }

  private static func header(
    _ name: [UInt8], size: Int64, modified: Int64, type: UInt8
  ) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: block)
    func put(_ bytes: [UInt8], at offset: Int) {
      for (place, byte) in bytes.enumerated() { header[offset + place] = byte }
    }
    put(name, at: 0)
    put(number(0o644, width: 8), at: 100)
    put(number(0, width: 8), at: 108)
    put(number(0, width: 8), at: 116)
    put(number(size, width: 12), at: 124)
    put(number(modified, width: 12), at: 136)
    put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
    header[156] = type
    put(Array("ustar  ".utf8) + [0], at: 257)
    let sum = header.reduce(Int64(0)) { $0 + Int64($1) }
    put(Array(octal(sum, digits: 6)) + [0, UInt8(ascii: " ")], at: 148)
    return header
  }

  /// Octal digits and a NUL; what does not fit in binary, GNU's way.
  private static func number(_ value: Int64, width: Int) -> [UInt8] {
    if value < Int64(1) << (3 * (width - 1)) { return octal(value, digits: width - 1) + [0] }
    var bytes = [UInt8](repeating: 0, count: width)
    var rest = value
    for place in bytes.indices.reversed() {
      bytes[place] = UInt8(truncatingIfNeeded: rest)
      rest >>= 8
    }
    bytes[0] |= 0x80
    return bytes
  }

  private static func octal(_ value: Int64, digits: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: UInt8(ascii: "0"), count: digits)
    var rest = value
    for place in bytes.indices.reversed() {
      bytes[place] = UInt8(ascii: "0") + UInt8(rest & 7)
      rest >>= 3
    }
    return bytes
  }
}
