internal import CZlib

/// Compresses bytes as one gzip member (RFC 1952), in pieces, without a time or a name in its header.
///
/// Owns zlib's state (about 260 kB) and frees it at its end. Used from one thread at a time.
@safe package struct GzipWriter: ~Copyable {
  /// On the heap: zlib remembers its address.
  private let stream: UnsafeMutablePointer<z_stream>
  private var output: [UInt8]

  /// A compressor that has seen nothing.
  ///
  /// - Throws: `ArchiveError` where there is no memory for it.
  package init() throws(ArchiveError) {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    guard unsafe zlib_begin_gzip(stream) == Z_OK else {
      unsafe stream.deallocate()
      throw ArchiveError("there is no memory to compress with")
    }
    unsafe self.stream = unsafe stream
    output = [UInt8](repeating: 0, count: 32_768)
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Compresses `bytes`, and hands on what comes out so far.
  ///
  /// - Throws: `ArchiveError` where zlib fails, and what `sink` throws.
  package mutating func write(_ bytes: [UInt8], to sink: ([UInt8]) throws -> Void) throws {
    try deflate(bytes, Z_NO_FLUSH, to: sink)
  }

  /// Compresses what is still inside, and writes the trailer; nothing may be written afterwards.
  ///
  /// - Throws: `ArchiveError` where zlib fails, and what `sink` throws.
  package mutating func finish(to sink: ([UInt8]) throws -> Void) throws {
    try deflate([], Z_FINISH, to: sink)
  }

  private mutating func deflate(
    _ bytes: [UInt8], _ flush: Int32, to sink: ([UInt8]) throws -> Void
  ) throws {
    var start = 0
    repeat {
      // zlib counts in 32 bits.
      let piece = bytes[start..<min(bytes.count, start + (1 << 20))]
      start = piece.endIndex
      try deflate(piece: piece, start == bytes.count ? flush : Z_NO_FLUSH, to: sink)
    } while start < bytes.count
  }

  private mutating func deflate(
    piece: ArraySlice<UInt8>, _ flush: Int32, to sink: ([UInt8]) throws -> Void
  ) throws {
    var consumed = 0
    while true {
      let room = output.count
      let rest = piece[(piece.startIndex + consumed)...]
      let (status, left, produced) = unsafe rest.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
          unsafe stream.pointee.avail_in = uInt(input.count)
          unsafe stream.pointee.next_out = output.baseAddress
          unsafe stream.pointee.avail_out = uInt(room)
          let status = unsafe CZlib.deflate(stream, flush)
          return unsafe (
            status, Int(stream.pointee.avail_in), room - Int(stream.pointee.avail_out)
          )
        }
      }
      // Z_BUF_ERROR: there was nothing to do.
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        throw ArchiveError("zlib cannot compress (\(status))")
      }
      consumed = piece.count - left
      if produced > 0 { try sink(Array(output.prefix(produced))) }
      if status == Z_STREAM_END || (produced < room && left == 0) { return }
    }
  }
}
