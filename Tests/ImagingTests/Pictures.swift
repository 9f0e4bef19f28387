import Foundation
import Imaging

/// Pictures for tests.
enum Pictures {
  /// A file of `Tests/Fixtures/images`.
  static func fixture(_ name: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/images")
    return [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
  }

  /// Four fields: red and green above, blue and white below.
  static func fields(width: Int, height: Int) throws -> PixelImage {
    var image = try PixelImage(width: width, height: height)
    for row in 0..<height {
      for column in 0..<width {
        image[column, row] =
          switch (column < width / 2, row < height / 2) {
          case (true, true): SIMD3(255, 0, 0)
          case (false, true): SIMD3(0, 255, 0)
          case (true, false): SIMD3(0, 0, 255)
          case (false, false): SIMD3(255, 255, 255)
          }
      }
    }
    return image
  }

  /// Grain that no compression makes small.
  static func noise(width: Int, height: Int) throws -> PixelImage {
    var image = try PixelImage(width: width, height: height)
    var state: UInt32 = 1
    for row in 0..<height {
      for column in 0..<width {
        state = state &* 1_664_525 &+ 1_013_904_223
        image[column, row] = SIMD3(
          UInt8(truncatingIfNeeded: state >> 8), UInt8(truncatingIfNeeded: state >> 16),
          UInt8(truncatingIfNeeded: state >> 24))
      }
    }
    return image
  }

  /// What colour the four corners' fields have: upper left, upper right, lower left, lower right.
  static func corners(_ jpeg: JPEGImage) throws -> String {
    let image = try jpeg.decoded()
    let (left, right) = (image.width / 4, image.width * 3 / 4)
    let (top, bottom) = (image.height / 4, image.height * 3 / 4)
    return [
      image[left, top], image[right, top], image[left, bottom], image[right, bottom],
    ].map(name).joined()
  }

  private static func name(_ pixel: SIMD3<UInt8>) -> String {
    switch (pixel.x > 128, pixel.y > 128, pixel.z > 128) {
    case (true, false, false): "r"
    case (false, true, false): "g"
    case (false, false, true): "b"
    case (true, true, true): "w"
    default: "?"
    }
  }
}
