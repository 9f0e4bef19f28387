import BuiltinConnectors
import ConnectorKit
import Foundation
import Platform
import Testing

@testable import ConnectorHost

/// The files of `Tests/Fixtures/config` with what `printer-uplink validate` says of them, to the letter.
///
/// `bad-*.yaml` are refused (78), `warn-*.yaml` are accepted with warnings. `{types}` stands for the registry's types.
@Suite("Broken files", .serialized) struct BrokenFilesTests {
  private static let source = Project.root.appendingPathComponent("Tests/Fixtures/config")
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: source.path)) ?? [])
    .filter { $0.hasSuffix(".yaml") }.sorted()

  /// A copy of the folder in which every file has the mode that its test needs, whatever the check-out gave it.
  private static let folder: URL? = try? copy()

  private static func copy() throws -> URL {
    let files = FileManager.default
    let folder = files.temporaryDirectory.appendingPathComponent("uplink-\(UUID().uuidString)")
    try files.copyItem(at: source, to: folder)
    let modes = try JSONDecoder().decode(
      [String: String].self, from: Data(contentsOf: folder.appendingPathComponent("modes.json")))
    for name in try files.subpathsOfDirectory(atPath: folder.path) {
      let path = folder.appendingPathComponent(name).path
      var isFolder: ObjCBool = false
      guard files.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
        continue
      }
      let mode = modes[name].flatMap { Int($0, radix: 8) } ?? 0o600
      try files.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
    return folder
  }

  @Test("There are more than forty of them")
  func count() { #expect(Self.names.count { $0.hasPrefix("bad-") } > 40) }

  @Test("Each says what is wrong, where, and what to do", arguments: names)
  func broken(name: String) throws {
    let folder = try #require(Self.folder)
    let written = Guarded("")
    let status = ValidateCommand(
      loader: ConfigurationLoader(
        registry: builtinConnectors,
        environment: ["HOME": "/home/pi", "STATE_DIRECTORY": "/nonexistent/printer-uplink"]),
      terminal: Terminal(
        output: { text in written.withLock { $0 += text + "\n" } },
        errors: { text in written.withLock { $0 += "stderr: " + text + "\n" } }, isTerminal: false),
      options: ValidateCommand.Options()
    ).run(folder.appendingPathComponent(name).path)
    let output = written.withLock { $0 }
      .replacing("\(folder.path)/\(name):", with: "\(name):")
      .replacing("\(folder.path)/", with: "./")
    let expected = try #require(
      Project.text("Tests/Fixtures/config/" + name.replacing(".yaml", with: ".expected"))
    ).replacing(
      "{types}", with: builtinConnectors.map { $0.descriptor.type }.joined(separator: ", "))
    #expect(output == expected)
    #expect(status == (name.hasPrefix("bad-") ? 78 : 0))
  }
}
