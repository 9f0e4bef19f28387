internal import CTurboJPEG

/// A JPEG whose header has been read.
///
/// Everything that decodes or compresses blocks: call it off the cooperative pool. Nothing is kept between calls.
@safe package struct JPEGImage: Sendable, Hashable {
  /// The file.
  package let bytes: [UInt8]
  /// Its width in pixels.
  package let width: Int
  /// Its height in pixels.
  package let height: Int

  /// Reads the header; the picture itself is not decoded.
  ///
  /// - Parameter bytes: the whole file, at most 10 MiB.
  /// - Throws: `ImageError`: no JPEG, cut off, or more than 64 megapixels.
  package init(_ bytes: [UInt8]) throws(ImageError) {
    guard bytes.count <= ImageLimits.bytes else {
      throw ImageError("the JPEG is larger than \(ImageLimits.bytes) bytes", kind: .tooLarge)
    }
    guard ImageKind(sniffing: bytes) == .jpeg else { throw ImageError("this is no JPEG") }
    guard JPEGStructure.isWhole(bytes) else { throw ImageError("the JPEG is cut off") }
    let handle = try TurboHandle(.reading)
    var (width, height, sampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    let status = unsafe bytes.withUnsafeBufferPointer { source in
      unsafe tjDecompressHeader3(
        handle.pointer, source.baseAddress, UInt(source.count), &width, &height, &sampling,
        &colours)
    }
    try handle.check(status)
    guard width > 0, height > 0 else { throw ImageError("the JPEG is empty") }
    guard Int(width) * Int(height) <= ImageLimits.pixels else {
      throw ImageError(
        "the JPEG has \(width) × \(height) pixels; at most \(ImageLimits.pixels) are allowed",
        kind: .tooLarge)
    }
    self.bytes = bytes
    self.width = Int(width)
    self.height = Int(height)
  }

  /// Its longer side in pixels.
  package var longestSide: Int { max(width, height) }

  /// The pixels, made smaller on the way.
  ///
  /// - Parameter eighths: 1 to 8 (8: in full), clamped: how many eighths of each side are left, rounded up.
  /// - Throws: `ImageError` when the data is broken or of a form that is not understood.
  package func decoded(eighths: Int = 8) throws(ImageError) -> PixelImage {
    let handle = try TurboHandle(.reading)
    let eighths = min(max(eighths, 1), 8)
    let image = try PixelImage(
      width: Self.scaled(width, eighths: eighths), height: Self.scaled(height, eighths: eighths))
    let status = unsafe bytes.withUnsafeBufferPointer { source in
      unsafe tjDecompress2(
        handle.pointer, source.baseAddress, UInt(source.count), image.pointer, Int32(image.width),
        0, Int32(image.height), Int32(TJPF_RGB.rawValue), TJFLAG_LIMITSCANS)
    }
    try handle.check(status)
    return image
  }

  /// `side` made smaller as TurboJPEG does it.
  static func scaled(_ side: Int, eighths: Int) -> Int { (side * eighths + 7) / 8 }

  /// Gives the memory that decoding and compressing took from the heap back to the system.
  package static func returnMemory() { jpeg_shim_trim_heap() }
}
