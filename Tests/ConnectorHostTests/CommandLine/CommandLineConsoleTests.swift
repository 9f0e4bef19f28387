import ConnectorKit
import Foundation
import Testing

@testable import ConnectorHost

@Suite("CommandLine: what files can make it say") struct CommandLineConsoleTests {
  @Test("What stands in a file reaches the terminal without its control characters")
  func escaped() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "c.yaml", "version: 1\nprinter: {name: \"V\\u009B2J\"}\n\"ba\\e[2Jd\": 1\nbackends: []\n")
    let result = await command("validate", path)
    #expect(result.status == 78)
    #expect(result.output.contains("ba\\u{1b}[2Jd"))
    let explained = await command("explain", "sample", "-c", path)
    for text in [result.output, explained.errors, await command("val\u{1B}[2J").errors] {
      #expect(!text.isEmpty)
      #expect(!text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{9B}" })
    }
  }

  @Test(
    "A file that was named and cannot be used is the answer of 'explain'; another does not count")
  func explain() async throws {
    let folder = try TemporaryFolder()
    let broken = try folder.write(
      "c.yaml", "version: 1\noops: 1\nbackends:\n  - {type: sample, name: mine}\n")
    for name in ["mine", "sample"] {
      let result = await command("explain", name, "-c", broken)
      #expect(result.status == 78)
      #expect(result.output.isEmpty)
      #expect(result.errors.contains("c.yaml:2:1: oops: "))
    }
    #expect(await command("explain", "sample", "-c", folder.path + "/none.yaml").status == 78)

    let config = folder.path + "/printer_data/config"
    try FileManager.default.createDirectory(atPath: config, withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: broken, toPath: config + "/printer-uplink.yaml")
    let unnamed = await command("explain", "sample", environment: ["HOME": folder.path])
    #expect(unnamed.status == 0)
    #expect(unnamed.errors.contains("cannot be used and does not count"))
  }

  @Test("'explain' looks at an entry as it is switched beside the file")
  func switched() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path + "/state", withIntermediateDirectories: true)
    let path = try folder.write(
      "c.yaml", "version: 1\nstate_directory: state\nbackends:\n  - {type: sample, name: mine}\n")
    #expect(await command("explain", "mine", "-c", path).output.contains("It would report"))
    let overlay = #"{"schema":1,"entries":{"mine":{"enabled":false,"file_said":true}}}"#
    _ = try folder.write("state/overlay.json", overlay)
    #expect(await command("explain", "mine", "-c", path).output.contains("It is disabled"))
  }
}
