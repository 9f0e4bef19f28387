import Imaging
import Testing

@Suite("Making JPEGs smaller") struct JPEGFittingTests {
  @Test("What fits is left alone")
  func whatFitsLeftAlone() throws {
    let image = try JPEGImage(Pictures.fixture("baseline-422.jpg"))
    #expect(try image.fitted(maximumBytes: image.bytes.count, maximumSide: 64) == image)
  }

  @Test(
    "Grain comes down to any size within reason",
    arguments: [90_000, 60_000, 30_000, 10_000, 4_000, 2_000])
  func grainComesDownAny(limit: Int) throws {
    let image = try JPEGImage(Pictures.noise(width: 320, height: 240).encoded(quality: 95))
    #expect(image.bytes.count > 90_000)
    let fitted = try image.fitted(maximumBytes: limit)
    #expect(fitted.bytes.count <= limit)
    #expect(fitted.bytes.count > limit / 5)
  }

  @Test("Compressing more comes before making smaller")
  func compressingMoreComesBeforeMaking() throws {
    let image = try JPEGImage(Pictures.noise(width: 320, height: 240).encoded(quality: 95))
    let fitted = try image.fitted(maximumBytes: image.bytes.count / 2)
    #expect(fitted.width == 320)
    let smaller = try image.fitted(maximumBytes: image.bytes.count / 20)
    #expect(smaller.width < 320)
  }

  @Test(
    "The longest side is kept, by eighths",
    arguments: [
      (640, 640), (639, 560), (320, 320), (100, 80), (80, 80), (79, 70), (9, 9), (1, 1),
    ])
  func longestSideKept(limit: Int, expected: Int) throws {
    let image = try JPEGImage(Pictures.fields(width: 640, height: 480).encoded(quality: 80))
    let fitted = try image.fitted(maximumBytes: 1 << 20, maximumSide: limit)
    #expect(fitted.longestSide == expected)
    if limit > 16 { #expect(try Pictures.corners(fitted) == "rgbw") }
  }

  @Test("What cannot be made so small is an error", arguments: [0, -1, 10, 300])
  func whatCannotBeMadeSo(limit: Int) throws {
    let image = try JPEGImage(Pictures.noise(width: 320, height: 240).encoded(quality: 95))
    let error = #expect(throws: ImageError.self) { try image.fitted(maximumBytes: limit) }
    #expect(error?.kind == .tooLarge)
  }

  @Test("Senseless sides and qualities are clamped", arguments: [0, -3, 101])
  func senselessSidesQualities(number: Int) throws {
    let image = try JPEGImage(Pictures.fields(width: 64, height: 48).encoded(quality: number))
    #expect(try image.fitted(maximumBytes: 1 << 20, maximumSide: min(number, 1)).longestSide == 1)
    let half = try image.decoded(eighths: number)
    #expect(half.width == (number > 8 ? 64 : 8))
  }

  @Test("The memory of large pictures goes back")
  func memoryLargePictures() throws {
    let image = try JPEGImage(Pictures.fields(width: 2_560, height: 1_440).encoded(quality: 90))
    func round() throws {
      _ = try image.turned(Orientation(clockwise: 90)).fitted(maximumBytes: 20_000)
      JPEGImage.returnMemory()
    }
    try round()
    let before = residentBytes()
    for _ in 0..<5 { try round() }
    // A round takes more than 20 MB; other tests run beside this one.
    #expect(residentBytes() - before < 40 << 20)
  }
}
