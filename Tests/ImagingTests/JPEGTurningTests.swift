import Imaging
import Testing

@Suite("Turning JPEGs") struct JPEGTurningTests {
  /// Turned clockwise, mirrored, upside down → the fields that were "rgbw".
  static let turns: [(Int, Bool, Bool, String)] = [
    (0, false, false, "rgbw"), (90, false, false, "brwg"), (180, false, false, "wbgr"),
    (270, false, false, "gwrb"), (0, true, false, "grwb"), (0, false, true, "bwrg"),
    (0, true, true, "wbgr"), (90, true, false, "rbgw"), (90, false, true, "wgbr"),
    (90, true, true, "gwrb"), (270, true, false, "wgbr"), (270, false, true, "rbgw"),
    (-90, false, false, "gwrb"), (450, false, false, "brwg"), (45, false, false, "rgbw"),
    (45, false, true, "bwrg"),
  ]

  @Test("A picture of whole blocks is turned first and mirrored then", arguments: turns)
  func pictureWholeBlocks(
    degrees: Int, mirrored: Bool, upsideDown: Bool, expected: String
  ) throws {
    let image = try JPEGImage(Pictures.fields(width: 64, height: 32).encoded(quality: 90))
    let turned = try image.turned(
      Orientation(clockwise: degrees, mirrored: mirrored, upsideDown: upsideDown))
    #expect(try Pictures.corners(turned) == expected)
    let isSideways = degrees == 270 || degrees == 450 || degrees.magnitude == 90
    #expect(turned.width == (isSideways ? 32 : 64))
  }

  @Test("A picture with cut blocks is turned as well, with all of its pixels", arguments: turns)
  func pictureWithCutBlocks(
    degrees: Int, mirrored: Bool, upsideDown: Bool, expected: String
  ) throws {
    let image = try JPEGImage(Pictures.fields(width: 70, height: 38).encoded(quality: 90))
    let turned = try image.turned(
      Orientation(clockwise: degrees, mirrored: mirrored, upsideDown: upsideDown))
    #expect(try Pictures.corners(turned) == expected)
    #expect(Set([turned.width, turned.height]) == [70, 38])
  }

  @Test("Whole blocks are turned without loss")
  func wholeBlocksTurnedWithout() throws {
    let image = try JPEGImage(Pictures.noise(width: 64, height: 48).encoded(quality: 60))
    var turned = image
    for _ in 0..<4 { turned = try turned.turned(Orientation(clockwise: 90)) }
    let before = try image.decoded()
    let after = try turned.decoded()
    for row in 0..<48 {
      for column in 0..<64 { #expect(before[column, row] == after[column, row]) }
    }
  }

  @Test("Upright is the same file")
  func uprightSameFile() throws {
    let image = try JPEGImage(Pictures.fixture("exif.jpg"))
    #expect(try image.turned(.upright) == image)
    #expect(Orientation(clockwise: 180, mirrored: true, upsideDown: true).isUpright)
  }

  @Test(
    "Each kind of JPEG can be turned",
    arguments: ["baseline-422.jpg", "progressive-420.jpg", "grey.jpg", "exif.jpg"])
  func eachKindJPEGCan(name: String) throws {
    let image = try JPEGImage(Pictures.fixture(name))
    let turned = try image.turned(Orientation(clockwise: 90))
    #expect(turned.width == image.height)
    #expect(turned.height == image.width)
  }

  @Test("Data that is broken behind its header is an error")
  func dataBrokenBehind() throws {
    var bytes = try JPEGImage(Pictures.noise(width: 64, height: 48).encoded(quality: 60)).bytes
    let middle = bytes.count * 3 / 4
    bytes.replaceSubrange(middle..<(middle + 40), with: repeatElement(0xFF, count: 40))
    bytes.replaceSubrange((middle + 40)..<(middle + 42), with: [0xFF, 0xD9])
    let image = try JPEGImage(bytes)
    #expect(throws: ImageError.self) { try image.turned(Orientation(clockwise: 90)) }
    #expect(throws: ImageError.self) { try image.fitted(maximumBytes: 1_000) }
  }
}
