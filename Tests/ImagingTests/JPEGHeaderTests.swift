import Imaging
import Testing

@Suite("Reading JPEGs") struct JPEGHeaderTests {
  @Test(
    "The size is known without decoding",
    arguments: [
      ("baseline-422.jpg", 64, 48), ("progressive-420.jpg", 70, 50), ("grey.jpg", 33, 17),
      ("exif.jpg", 64, 48), ("cmyk.jpg", 32, 32),
    ])
  func sizeKnownWithout(name: String, width: Int, height: Int) throws {
    let image = try JPEGImage(Pictures.fixture(name))
    #expect(image.width == width)
    #expect(image.height == height)
  }

  @Test(
    "No beginning of a JPEG passes for a whole one",
    arguments: ["baseline-422.jpg", "progressive-420.jpg", "grey.jpg", "exif.jpg"])
  func beginningJPEG(name: String) throws {
    let whole = try Pictures.fixture(name)
    for count in 0..<whole.count {
      #expect(throws: ImageError.self) { try JPEGImage(Array(whole.prefix(count))) }
    }
  }

  @Test("Padding behind the end is no harm")
  func paddingBehindEnd() throws {
    let padded = try Pictures.fixture("baseline-422.jpg") + [UInt8](repeating: 0, count: 5_000)
    let image = try JPEGImage(padded).decoded()
    #expect(image.width == 64)
  }

  @Test("Stray bytes before the end, as cameras send them, are no harm")
  func strayBytesBeforeEnd() throws {
    var bytes = try Pictures.fixture("baseline-422.jpg")
    bytes.insert(contentsOf: [0x11, 0x22], at: bytes.count - 2)
    let image = try JPEGImage(bytes).decoded()
    #expect(image.height == 48)
  }

  @Test("Changed bytes yield a picture or an error, and never end the program")
  func changedBytesYieldPicture() throws {
    var generator = Bytes(state: 20_261_121)
    var failures = 0
    for name in ["baseline-422.jpg", "progressive-420.jpg", "exif.jpg"] {
      let whole = try Pictures.fixture(name)
      for _ in 0..<1_500 {
        var bytes = whole
        for _ in 0...generator.next(below: 6) {
          bytes[generator.next(below: bytes.count)] = UInt8(generator.next(below: 256))
        }
        do throws(ImageError) {
          let image = try JPEGImage(bytes)
          guard image.width * image.height < 1_000_000 else { continue }
          _ = try image.turned(Orientation(clockwise: 90))
          _ = try image.fitted(maximumBytes: 700, maximumSide: 40)
        } catch {
          failures += 1
        }
      }
    }
    #expect(failures > 100)
  }

  @Test("Bytes without sense are refused")
  func bytesWithoutSenseRefused() {
    var generator = Bytes(state: 7)
    for count in 0..<600 {
      let bytes = [0xFF, 0xD8, 0xFF] + (0..<count).map { _ in UInt8(generator.next(below: 256)) }
      #expect(throws: ImageError.self) { try JPEGImage(bytes) }
    }
  }

  @Test("More than 64 megapixels are refused by their header")
  func moreThan64Megapixels() throws {
    var bytes = try Pictures.fixture("baseline-422.jpg")
    let frame = try #require(
      bytes.indices.first {
        bytes[$0] == 0xFF && $0 + 8 < bytes.count && bytes[$0 + 1] == 0xC0
      })
    bytes.replaceSubrange((frame + 5)..<(frame + 9), with: [0xFF, 0x00, 0xFF, 0x00])
    let error = #expect(throws: ImageError.self) { try JPEGImage(bytes) }
    #expect(error?.kind == .tooLarge)
  }

  @Test("More than 10 MiB are refused")
  func moreThan10MiB() throws {
    let bytes = try Pictures.fixture("baseline-422.jpg") + [UInt8](repeating: 0, count: 10 << 20)
    let error = #expect(throws: ImageError.self) { try JPEGImage(bytes) }
    #expect(error?.kind == .tooLarge)
  }

  @Test("Four inks are an error, no picture in wrong colours")
  func fourInksAnError() throws {
    let image = try JPEGImage(Pictures.fixture("cmyk.jpg"))
    #expect(throws: ImageError.self) { try image.fitted(maximumBytes: 10_000, maximumSide: 16) }
  }

  @Test(
    "The first bytes tell the kind",
    arguments: [
      ("baseline-422.jpg", ImageKind.jpeg), ("picture.png", .png), ("picture.webp", .webp),
    ])
  func firstBytesTell(name: String, kind: ImageKind) throws {
    let bytes = try Pictures.fixture(name)
    #expect(ImageKind(sniffing: bytes) == kind)
    #expect(kind.contentType == "image/\(kind.rawValue)")
  }

  @Test(
    "Other first bytes are no picture",
    arguments: ["", "<!doctype html>", "GIF89a", "RIFF1234WAVE", "\u{89}PNG"])
  func otherFirstBytes(text: String) {
    #expect(ImageKind(sniffing: Array(text.utf8)) == nil)
  }

  @Test(
    "Impossible sizes are errors",
    arguments: [(0, 1), (1, 0), (-5, 10), (65_501, 1), (10_000, 10_000)])
  func impossibleSizesErrors(width: Int, height: Int) {
    #expect(throws: ImageError.self) {
      let image = try PixelImage(width: width, height: height)
      _ = image.width
    }
  }
}

/// Random numbers that are the same in each run.
struct Bytes {
  var state: UInt64
  mutating func next(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}
