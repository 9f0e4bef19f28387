internal import Imaging
internal import Platform

/// The beginning of a stream of JPEGs (`multipart/x-mixed-replace`): where its first picture is.
enum MJPEGStream {
  /// The first picture begins within so many bytes, or this is no such stream.
  private static let longestHead = 64 << 10
  /// Where a picture without a length ends: its end marker, and the next boundary.
  private static let ends: [[UInt8]] = [
    [0xFF, 0xD9] + Array("\r\n--".utf8), [0xFF, 0xD9] + Array("\n--".utf8),
    [0xFF, 0xD9] + Array("\r\n\r\n--".utf8),
  ]

  /// Whether nothing has to be waited for any more: the first picture is there, or will never be.
  static func isEnough(_ bytes: [UInt8]) -> Bool {
    guard let start = start(of: bytes) else { return bytes.count > longestHead }
    if let length = length(in: bytes[..<start]) { return bytes.count - start >= length }
    // Only what came last can hold the end; the rest has been looked at before.
    let tail = bytes[max(start, bytes.count - longestHead)...]
    return ends.contains { tail.firstRange(ofBytes: $0) != nil }
  }

  /// The first picture; nil when it is not there in full.
  static func firstFrame(in bytes: [UInt8]) -> [UInt8]? {
    guard let start = start(of: bytes) else { return nil }
    let rest = bytes[start...]
    if let length = length(in: bytes[..<start]) {
      return rest.count >= length ? Array(rest.prefix(length)) : nil
    }
    let end = ends.compactMap { rest.firstRange(ofBytes: $0)?.lowerBound }.min()
    return end.map { Array(rest[..<($0 + 2)]) }
  }

  private static func start(of bytes: [UInt8]) -> Int? {
    bytes.prefix(longestHead).firstRange(ofBytes: [0xFF, 0xD8, 0xFF])?.lowerBound
  }

  /// The `Content-Length` of the part whose header ends these bytes.
  private static func length(in head: ArraySlice<UInt8>) -> Int? {
    let lines = head.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    for line in lines.reversed() {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
        String(decoding: line[..<colon], as: UTF8.self).lowercased() == "content-length"
      else { continue }
      let digits = line[(colon + 1)...].filter { $0 != UInt8(ascii: " ") }
      guard let length = Int(String(decoding: digits, as: UTF8.self)), length > 0 else {
        return nil
      }
      return length
    }
    return nil
  }
}
