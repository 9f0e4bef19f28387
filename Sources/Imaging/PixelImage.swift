internal import CTurboJPEG

/// A picture as pixels: three bytes each (red, green, blue), row by row from the top.
@safe package struct PixelImage: ~Copyable {
  /// Its width in pixels.
  package let width: Int
  /// Its height in pixels.
  package let height: Int
  private let buffer: PageBuffer

  /// A black picture.
  ///
  /// - Throws: `ImageError` (`tooLarge`) beyond 64 megapixels or 65,500 pixels a side, and for an empty one.
  package init(width: Int, height: Int) throws(ImageError) {
    guard (1...65_500).contains(width), (1...65_500).contains(height),
      width * height <= ImageLimits.pixels
    else { throw ImageError("a picture of \(width) × \(height) pixels", kind: .tooLarge) }
    buffer = try PageBuffer(count: width * height * 3)
    self.width = width
    self.height = height
  }

  /// The pixel in a column and a row, counted from the top left; black outside.
  package subscript(_ column: Int, _ row: Int) -> SIMD3<UInt8> {
    get {
      guard let start = start(column, row) else { return .zero }
      return unsafe SIMD3(
        buffer.bytes[start], buffer.bytes[start + 1], buffer.bytes[start + 2])
    }
    set {
      guard let start = start(column, row) else { return }
      for channel in 0..<3 { unsafe buffer.bytes[start + channel] = newValue[channel] }
    }
  }

  private func start(_ column: Int, _ row: Int) -> Int? {
    guard (0..<width).contains(column), (0..<height).contains(row) else { return nil }
    return (row * width + column) * 3
  }

  /// The first byte, as TurboJPEG takes it.
  var pointer: UnsafeMutablePointer<UInt8>? { unsafe buffer.pointer }

  /// A turned copy. Blocks for as long as the copying takes.
  func turned(_ orientation: Orientation) throws(ImageError) -> PixelImage {
    let step = orientation.step
    let turned = try PixelImage(
      width: step.swapsSides ? height : width, height: step.swapsSides ? width : height)
    let source = unsafe buffer.bytes
    let target = unsafe turned.buffer.bytes
    let (right, bottom) = (width - 1, height - 1)
    var to = 0
    for row in 0..<turned.height {
      for column in 0..<turned.width {
        let (fromColumn, fromRow) =
          switch step {
          case .none: (column, row)
          case .turn90: (row, bottom - column)
          case .turn180: (right - column, bottom - row)
          case .turn270: (right - row, column)
          case .mirror: (right - column, row)
          case .mirrorVertically: (column, bottom - row)
          case .transpose: (row, column)
          case .transverse: (right - row, bottom - column)
          }
        let from = (fromRow * width + fromColumn) * 3
        unsafe target[to] = source[from]
        unsafe target[to + 1] = source[from + 1]
        unsafe target[to + 2] = source[from + 2]
        to += 3
      }
    }
    return turned
  }

  /// The picture as a JPEG, colour at half the resolution. Blocks for as long as the compressing takes.
  ///
  /// - Parameter quality: 1 to 100, clamped.
  /// - Throws: `ImageError` when there is no memory.
  package func encoded(quality: Int) throws(ImageError) -> [UInt8] {
    let handle = try TurboHandle(.writing)
    let capacity = tjBufSize(Int32(width), Int32(height), Int32(TJSAMP_420.rawValue))
    let output = try PageBuffer(count: Int(clamping: capacity))
    var start: UnsafeMutablePointer<UInt8>? = unsafe output.pointer
    var size = capacity
    try handle.check(
      unsafe tjCompress2(
        handle.pointer, pointer, Int32(width), 0, Int32(height), Int32(TJPF_RGB.rawValue),
        &start, &size, Int32(TJSAMP_420.rawValue), Int32(min(max(quality, 1), 100)),
        TJFLAG_NOREALLOC))
    return unsafe Array(output.bytes.prefix(Int(clamping: size)))
  }
}
