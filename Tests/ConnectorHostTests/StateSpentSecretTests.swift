import ConnectorKit
import Foundation
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Spent secrets") struct StateSpentSecretTests {
  private let sink = RecordingSink()

  private static let text = """
    version: 1
    printer:
      name: Voron   # mine
    backends:
      # the first
      - type: idle
        name: one
        token: SECRET-ONE   # once
        url: http://127.0.0.1:1
      - type: idle
        name: two
        # a comment that stays
        token: "SECRET-TWO"

    """

  /// A host with this file loaded.
  private struct Rig {
    var path: String
    var secrets: SpentSecrets
    var entries: [BackendConfiguration]
    var folder: String

    func retire(_ index: Int) async { await secrets.retire("token", of: entries[index]) }
    var content: String {
      get throws { String(decoding: try Files.read(path, limit: 9_999), as: UTF8.self) }
    }
  }

  private func rig(_ text: String = text, in folder: String, at name: String = "c.yaml") throws
    -> Rig
  {
    let path = folder + "/" + name
    if try Files.information(path) == nil {
      try Files.replace(path, with: Array(text.utf8), mode: 0o640)
    }
    let log = Log(label: "host", sink: sink)
    let loader = ConfigurationLoader(registry: [IdleConnector.self], environment: [:])
    let loaded = loader.load(path)
    let configuration = try #require(loaded.configuration, "\(loaded.findings)")
    let directory = try StateDirectory(opening: folder + "/state", configurationPath: path)
    return Rig(
      path: path,
      secrets: SpentSecrets(
        remover: SpentSecretRemover(loader: loader, path: path),
        memory: RetiredSecrets(directory: directory, log: log), fingerprint: loaded.fingerprint,
        log: log), entries: configuration.backends, folder: folder)
  }

  @Test("The lines of spent tokens go, one after the other; all else stays")
  func removes() async throws {
    try await withFolder { folder in
      let rig = try rig(in: folder)
      await rig.retire(0)
      await rig.retire(1)
      let expected = Self.text.split(separator: "\n", omittingEmptySubsequences: false)
        .filter { !$0.contains("SECRET") }.joined(separator: "\n")
      #expect(try rig.content == expected)
      #expect(try Files.information(rig.path)?.mode == 0o640)
      #expect(rig.entries.flatMap(rig.secrets.notes).isEmpty)
      #expect(rig.secrets.keys(spentBy: "one") == ["token"])
      let loader = ConfigurationLoader(registry: [IdleConnector.self], environment: [:])
      #expect(rig.secrets.fingerprint == loader.load(rig.path).fingerprint)
      #expect(try Files.information(folder + "/state/retired.json") == nil)
      #expect(
        sink.lines.contains("info host one: token is spent; line 8 was removed from \(rig.path)"))
    }
  }

  @Test("Behind a link, the file itself is edited and the link stays")
  func link() async throws {
    try await withFolder { folder in
      try Files.makeFolder(folder + "/real")
      try Files.replace(folder + "/real/file.yaml", with: Array(Self.text.utf8))
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/c.yaml", withDestinationPath: "real/file.yaml")
      let rig = try rig(in: folder)
      await rig.retire(0)
      #expect(try !rig.content.contains("SECRET-ONE"))
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: rig.path) == "real/file.yaml")
    }
  }

  @Test(
    "A file that somebody changed since is not touched; the owner is told, also after a restart")
  func changed() async throws {
    try await withFolder { folder in
      let first = try rig(in: folder)
      let text = Self.text + "# new\n"
      try Files.replace(first.path, with: Array(text.utf8))
      await first.retire(0)
      #expect(try first.content == text)
      let second = try rig(in: folder)
      #expect(
        second.secrets.notes(on: second.entries[0]) == [
          "token (line 8) is spent and may be deleted"
        ])
      #expect(second.secrets.notes(on: second.entries[1]) == [])
      let memory = try Files.read(folder + "/state/retired.json", limit: 9_999)
      #expect(!String(decoding: memory, as: UTF8.self).contains("SECRET"))
      #expect(try Files.information(folder + "/state/retired.json")?.mode == 0o600)
    }
  }

  @Test("A token in a file of its own is remembered and left alone")
  func secretFile() async throws {
    try await withFolder { folder in
      let secret = folder + "/token"
      try Files.replace(secret, with: Array("SECRET\n".utf8))
      let rig = try rig(
        "version: 1\nprinter:\n  name: x\nbackends:\n- type: idle\n  token_file: \(secret)\n",
        in: folder)
      let before = try rig.content
      await rig.retire(0)
      #expect(try rig.content == before)
      #expect(try Files.read(secret, limit: 100) == Array("SECRET\n".utf8))
      #expect(
        rig.secrets.notes(on: rig.entries[0]) == [
          "token (file \(secret)) is spent and may be deleted"
        ])
      #expect(!sink.lines.joined().contains("SECRET"))
    }
  }

  @Test("A token inside braces is remembered and left alone")
  func flow() async throws {
    try await withFolder { folder in
      let text = "version: 1\nprinter: {name: x}\nbackends:\n- {type: idle, token: SECRET}\n"
      let rig = try rig(text, in: folder)
      await rig.retire(0)
      #expect(try rig.content == text)
      #expect(rig.secrets.notes(on: rig.entries[0]).count == 1)
    }
  }

  @Test("A key that holds no secret is not touched")
  func noSecret() async throws {
    try await withFolder { folder in
      let rig = try rig(in: folder)
      await rig.secrets.retire("url", of: rig.entries[0])
      await rig.secrets.retire("nothing", of: rig.entries[0])
      #expect(try rig.content == Self.text)
    }
  }
}
