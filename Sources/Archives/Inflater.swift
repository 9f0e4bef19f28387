internal import CZlib

/// Unpacks deflated bytes in pieces: gzip (RFC 1952) with any number of members, or a bare stream (RFC 1951) as in a zip.
///
/// What comes out is bounded, so that a small file cannot fill a disk. Used from one thread at a time.
@safe package struct Inflater: ~Copyable {
  /// How the bytes are wrapped.
  package enum Form: Sendable { case gzip, bare }
  /// Why unpacking failed.
  package enum Failure: Error, Sendable { case damaged, tooLarge }

  /// On the heap: zlib remembers its address.
  private let stream: UnsafeMutablePointer<z_stream>
  private let form: Form
  private let limit: Int64
  private var output: [UInt8]
  private var produced: Int64 = 0
  /// Whether the last member, or the stream, has been read to its end.
  private var isAtEnd = false
  private var hasBegun = false

  /// An unpacker that has seen nothing.
  ///
  /// - Parameter limit: the most bytes that may come out.
  /// - Throws: `ArchiveError` where there is no memory for it.
  package init(_ form: Form, limit: Int64) throws(ArchiveError) {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe form == .gzip ? zlib_begin_gunzip(stream) : zlib_begin_inflate(stream)
    guard status == Z_OK else {
      unsafe stream.deallocate()
      throw ArchiveError("there is no memory to unpack with")
    }
    unsafe self.stream = unsafe stream
    self.form = form
    self.limit = limit
    output = [UInt8](repeating: 0, count: 65_536)
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Unpacks `bytes`, and hands on what comes out so far.
  ///
  /// - Throws: ``Failure``, and what `sink` throws.
  package mutating func write(_ bytes: [UInt8], to sink: ([UInt8]) throws -> Void) throws {
    var consumed = 0
    while consumed < bytes.count {
      if isAtEnd {
        // Cura's older compressor writes many members; zeros behind the last are padding.
        guard form == .gzip else { return }
        guard unsafe inflateReset(stream) == Z_OK else { throw Failure.damaged }
        while consumed < bytes.count, bytes[consumed] == 0 { consumed += 1 }
        guard consumed < bytes.count else { return }
        isAtEnd = false
      }
      hasBegun = true
      let room = output.count
      let rest = bytes[consumed..<min(bytes.count, consumed + (1 << 20))]
      let (status, left, count) = unsafe rest.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
          unsafe stream.pointee.avail_in = uInt(input.count)
          unsafe stream.pointee.next_out = output.baseAddress
          unsafe stream.pointee.avail_out = uInt(room)
          let status = unsafe inflate(stream, Z_NO_FLUSH)
          return unsafe (
            status, Int(stream.pointee.avail_in), room - Int(stream.pointee.avail_out)
          )
        }
      }
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        throw Failure.damaged
      }
      let taken = rest.count - left
      guard taken > 0 || count > 0 || status == Z_STREAM_END else { throw Failure.damaged }
      consumed += taken
      produced += Int64(count)
      guard produced <= limit else { throw Failure.tooLarge }
      if count > 0 { try sink(Array(output.prefix(count))) }
      isAtEnd = status == Z_STREAM_END
      if !isAtEnd, consumed == bytes.count, count == room { try drain(to: sink) }
    }
  }

  /// Checks that nothing is missing.
  ///
  /// - Throws: ``Failure/damaged``.
  package func finish() throws(Failure) {
    guard hasBegun, isAtEnd else { throw .damaged }
  }

  /// Hands on what zlib still holds although it has taken all its input.
  private mutating func drain(to sink: ([UInt8]) throws -> Void) throws {
    while true {
      let room = output.count
      let (status, count) = unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe stream.pointee.avail_in = 0
        unsafe stream.pointee.next_out = output.baseAddress
        unsafe stream.pointee.avail_out = uInt(room)
        let status = unsafe inflate(stream, Z_NO_FLUSH)
        return unsafe (status, room - Int(stream.pointee.avail_out))
      }
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        throw Failure.damaged
      }
      produced += Int64(count)
      guard produced <= limit else { throw Failure.tooLarge }
      if count > 0 { try sink(Array(output.prefix(count))) }
      isAtEnd = status == Z_STREAM_END
      if isAtEnd || count < room { return }
    }
  }
}
