internal import Glibc

/// Memory of its own pages, which go back to the system at the end; the heap would keep megabytes.
@safe struct PageBuffer: ~Copyable {
  /// The bytes, all zero at first.
  let bytes: UnsafeMutableRawBufferPointer

  /// A buffer.
  ///
  /// - Throws: `ImageError` when there is no such memory.
  init(count: Int) throws(ImageError) {
    guard count > 0,
      let start = unsafe mmap(
        nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      unsafe start != UnsafeMutableRawPointer(bitPattern: -1)
    else { throw ImageError("there is no memory for a picture of \(count) bytes", kind: .tooLarge) }
    unsafe bytes = UnsafeMutableRawBufferPointer(start: start, count: count)
  }

  deinit { unsafe munmap(bytes.baseAddress, bytes.count) }

  /// The first byte, as TurboJPEG takes it.
  var pointer: UnsafeMutablePointer<UInt8>? {
    unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }
}
