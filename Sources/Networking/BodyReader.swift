internal import Platform

/// A request's body as it comes off the disk: prefix, file, suffix.
struct BodyReader: Sendable {
  /// All bytes that it will give.
  let size: Int64
  private let file: ByteFile
  private let body: BodyFile
  private var position: Int64 = 0

  /// Opens the file; blocks.
  ///
  /// - Throws: `PlatformError`, `ESTALE` where the file has not the size that was told.
  init(_ body: BodyFile) throws(PlatformError) {
    file = try ByteFile(reading: body.path)
    guard try file.size() == body.size else { throw Self.changed(body) }
    self.body = body
    size = Int64(body.prefix.count) + body.size + Int64(body.suffix.count)
  }

  /// Reads the next bytes into `buffer`.
  ///
  /// - Returns: how many, possibly fewer than fit; 0 at the end.
  mutating func read(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(PlatformError) -> Int {
    let inFile = position - Int64(body.prefix.count)
    let count: Int
    if inFile < 0 {
      count = unsafe copy(body.prefix, from: Int(position), into: buffer)
    } else if inFile < body.size {
      let most = Int(clamping: min(body.size - inFile, Int64(buffer.count)))
      count = try unsafe file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<most]))
      if count == 0 { throw Self.changed(body) }
    } else {
      count = unsafe copy(body.suffix, from: Int(inFile - body.size), into: buffer)
    }
    position += Int64(count)
    return count
  }

  private func copy(
    _ bytes: [UInt8], from start: Int, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    let count = min(bytes.count - start, buffer.count)
    unsafe buffer.copyBytes(from: bytes[start..<(start + count)])
    return count
  }

  private static func changed(_ body: BodyFile) -> PlatformError {
    PlatformError(operation: "read", subject: body.path, errorNumber: staleFile)
  }

  /// Linux's `ESTALE`.
  private static let staleFile: Int32 = 116
}
