internal import CTurboJPEG

extension JPEGImage {
  /// The quality of what has to be compressed again for another reason than its size.
  static let usualQuality = 90

  /// The picture turned and mirrored: without loss where its size is a multiple of its blocks, else compressed again.
  ///
  /// Markers of the camera's (EXIF, its orientation among them) are left behind, except where nothing changes.
  ///
  /// - Throws: `ImageError` when the data is broken.
  package func turned(_ orientation: Orientation) throws(ImageError) -> JPEGImage {
    if orientation.isUpright { return self }
    if let turned = try losslessly(orientation.step) { return turned }
    let pixels = try decoded().turned(orientation)
    return try JPEGImage(pixels.encoded(quality: Self.usualQuality))
  }

  /// Nil where the blocks at the edge do not allow it.
  private func losslessly(_ step: Orientation.Step) throws(ImageError) -> JPEGImage? {
    let handle = try TurboHandle(.turning)
    // As large as any sampling needs in either orientation: libjpeg-turbo takes that much for granted.
    let sides = (Int32(clamping: width), Int32(clamping: height))
    let capacity = max(
      tjBufSize(sides.0, sides.1, Int32(TJSAMP_444.rawValue)),
      tjBufSize(sides.1, sides.0, Int32(TJSAMP_444.rawValue)))
    let output = try PageBuffer(count: Int(clamping: capacity))
    var start: UnsafeMutablePointer<UInt8>? = unsafe output.pointer
    var size = capacity
    var transform = unsafe tjtransform()
    unsafe transform.op = step.operation
    unsafe transform.options = TJXOPT_PERFECT | TJXOPT_COPYNONE
    let status = unsafe bytes.withUnsafeBufferPointer { source in
      unsafe tjTransform(
        handle.pointer, source.baseAddress, UInt(source.count), 1, &start, &size, &transform,
        TJFLAG_NOREALLOC | TJFLAG_LIMITSCANS)
    }
    do throws(ImageError) {
      try handle.check(status)
    } catch {
      // Broken, or not perfect, or of a kind that it does not turn: decoding tells which.
      return nil
    }
    return try JPEGImage(unsafe Array(output.bytes.prefix(Int(clamping: size))))
  }
}

extension Orientation.Step {
  /// What TurboJPEG calls it.
  fileprivate var operation: Int32 {
    let operation =
      switch self {
      case .none: TJXOP_NONE
      case .turn90: TJXOP_ROT90
      case .turn180: TJXOP_ROT180
      case .turn270: TJXOP_ROT270
      case .mirror: TJXOP_HFLIP
      case .mirrorVertically: TJXOP_VFLIP
      case .transpose: TJXOP_TRANSPOSE
      case .transverse: TJXOP_TRANSVERSE
      }
    return Int32(operation.rawValue)
  }
}
