/// The segments of a JPEG, as far as one needs to see that it is whole.
enum JPEGStructure {
  /// Whether `bytes` are marker segments up to the picture's data, and an end after them.
  ///
  /// A decoder fills what is missing with grey; nobody wants such a picture.
  static func isWhole(_ bytes: [UInt8]) -> Bool {
    guard let data = startOfData(bytes) else { return false }
    // From the end: some cameras pad behind it. A thumbnail's own end lies before the data.
    var index = bytes.count - 2
    while index >= data {
      if bytes[index] == 0xFF, bytes[index + 1] == 0xD9 { return true }
      index -= 1
    }
    return false
  }

  /// Where the compressed data begins; nil when the segments before it are cut off or are none.
  private static func startOfData(_ bytes: [UInt8]) -> Int? {
    guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
    var index = 2
    while index + 3 < bytes.count {
      guard bytes[index] == 0xFF else { return nil }
      let marker = bytes[index + 1]
      if marker == 0xFF {
        index += 1
        continue
      }
      let length = Int(bytes[index + 2]) << 8 | Int(bytes[index + 3])
      guard length >= 2 else { return nil }
      index += 2 + length
      if marker == 0xDA { return index <= bytes.count ? index : nil }
    }
    return nil
  }
}
