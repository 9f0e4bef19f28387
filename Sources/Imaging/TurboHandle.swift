internal import CTurboJPEG

/// Owner of one TurboJPEG handle, for one operation on one thread.
@safe struct TurboHandle: ~Copyable {
  /// What a handle is made for.
  enum Purpose { case reading, writing, turning }

  /// The handle.
  let pointer: tjhandle

  /// A handle.
  ///
  /// - Throws: `ImageError` when there is no memory for it.
  init(_ purpose: Purpose) throws(ImageError) {
    let made =
      switch purpose {
      case .reading: unsafe tjInitDecompress()
      case .writing: unsafe tjInitCompress()
      case .turning: unsafe tjInitTransform()
      }
    guard let made = unsafe made else { throw ImageError("libjpeg-turbo has no memory") }
    unsafe pointer = made
  }

  deinit { unsafe _ = tjDestroy(pointer) }

  /// Throws when a call returned anything but 0, except for a warning that cameras cause all the time.
  func check(_ status: Int32) throws(ImageError) {
    guard status != 0 else { return }
    let words = unsafe tjGetErrorStr2(pointer).map { unsafe String(cString: $0) } ?? "unknown"
    let isWarning = unsafe tjGetErrorCode(pointer) == Int32(TJERR_WARNING.rawValue)
    // "Corrupt JPEG data: 2 extraneous bytes before marker 0xd9": padding of the camera's, the picture is whole.
    if isWarning,
      words.utf8.split(separator: UInt8(ascii: " ")).contains(where: {
        $0.elementsEqual("extraneous".utf8)
      })
    {
      return
    }
    throw ImageError("the JPEG is broken: \(words)")
  }
}
