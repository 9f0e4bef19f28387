import Testing

@testable import CuraConnect

@Suite("Names of uploads") struct UploadNameTests {
  @Test(
    "what Cura and hostile senders call a file becomes a harmless name",
    arguments: [
      ("UM3_böx (1).ufp", "UM3_böx (1).ufp"),
      ("../../etc/cron.d/x.gcode", "x.gcode"),
      ("/abs/olute.gcode", "olute.gcode"),
      ("C:\\Users\\me\\part.gcode", "part.gcode"),
      ("...hidden.gcode", "hidden.gcode"),
      ("~root.gcode", "root.gcode"),
      ("  spaced .gcode", "spaced.gcode"),
      ("a\u{0}b\nc\u{202E}d.gcode", "abcd.gcode"),
      ("ABC.GCODE", "ABC.gcode"),
      ("packed.gcode.gz", "packed.gcode"),
      ("İstanbul.GCODE", "İstanbul.gcode"),
      ("x.g", "x.g"), ("x.gco", "x.gco"), ("x.nc", "x.nc"),
    ])
  func names(_ given: String, _ expected: String) {
    #expect(UploadName(given)?.fileName(0) == expected)
  }

  @Test(
    "what is no print is refused",
    arguments: [
      "", ".gcode", "a.exe", "a.gcode/", "a", "..", "a.gz", ".ufp", "a.gcode.exe", "   .g",
    ])
  func refused(_ name: String) { #expect(UploadName(name) == nil) }

  @Test("a long name is cut at a character's border")
  func long() throws {
    let name = try #require(UploadName(String(repeating: "ä", count: 300) + ".gcode"))
    #expect(name.stem.utf8.count == 120)
    #expect(name.fileName(2).hasSuffix("ä-2.gcode"))
  }

  @Test("a UFP is kept as the G-code inside of it")
  func kept() throws {
    let name = try #require(UploadName("a.ufp"))
    #expect(name.keptName(0) == "a.gcode")
    #expect(name.keptName(3) == "a-3.gcode")
    #expect(name.fileName(3) == "a-3.ufp")
  }
}
