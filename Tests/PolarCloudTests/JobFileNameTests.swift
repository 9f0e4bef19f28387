import ConnectorKit
import Testing

@testable import PolarCloud

@Suite("Names of jobs' files") struct JobFileNameTests {
  @Test(
    "A name is made as the original made it",
    arguments: [
      (
        "5f3c0000000000000000aa01", "Calibration cube",
        "Calibration_cube_cloud_5f3c0000000000000000aa01.gcode"
      ),
      ("aa02", nil, "polar_cloud_aa02.gcode"),
      ("aa02", "  ../../etc/passwd ", "etcpasswd_cloud_aa02.gcode"),
      ("aa02", "Grüße 3", "Grüße_3_cloud_aa02.gcode"),
      ("aa02", "../", "polar_cloud_aa02.gcode"),
    ] as [(String, String?, String)])
  func made(id: String, name: String?, expected: String) {
    #expect(JobFileName.path(id: id, name: name)?.text == expected)
  }

  @Test("An id with characters that a path must not hold gets a digest instead")
  func hostileID() throws {
    let one = try #require(JobFileName.path(id: "../../x", name: nil)).text
    let other = try #require(JobFileName.path(id: "..//../x", name: nil)).text
    #expect(one.hasPrefix("polar_cloud_x-") && !one.contains("/"))
    #expect(one != other)
  }

  @Test("A long name is cut between characters")
  func long() throws {
    let path = try #require(
      JobFileName.path(id: "a", name: String(repeating: "ü", count: 90)))
    #expect(path.text == String(repeating: "ü", count: 50) + "_cloud_a.gcode")
  }

  @Test(
    "The id is found in the names of the original and of ours",
    arguments: [
      ("polar_cloud_aa01.gcode", "aa01"), ("Cube_cloud_5f3c-1.gcode", "5f3c-1"),
      ("cube.gcode", nil), ("a/b_cloud_x.gcode", nil), ("x_cloud_.gcode", nil),
    ] as [(String, String?)])
  func found(filename: String, id: String?) { #expect(JobFileName.id(in: filename) == id) }
}
