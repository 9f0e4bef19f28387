import ConnectorKit
import Foundation
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("Identity store") struct StateIdentityTests {
  private func store(_ name: String, in folder: String) throws -> FileIdentityStore {
    FileIdentityStore(
      directory: try StateDirectory(opening: folder, configurationPath: "/nowhere"), name: name)
  }

  @Test("What is saved is loaded again, is 0600, and belongs to its name alone")
  func roundTrip() async throws {
    try await withFolder { folder in
      let (one, other) = (try store("reach", in: folder), try store("reach 2", in: folder))
      #expect(try await one.load() == nil)
      try await one.save(["secret": "s", "id": 46])
      try await other.save(["secret": "t"])
      #expect(try await one.load() == ["secret": "s", "id": 46])
      #expect(try await other.load() == ["secret": "t"])
      #expect(try Files.information(folder + "/identities")?.mode == 0o700)
      #expect(try Files.information(folder + "/identities/reach.json")?.mode == 0o600)
      #expect(try Files.names(in: folder + "/identities") == ["reach%202.json", "reach.json"])
      #expect(FileIdentityStore.names(inStateDirectory: folder) == ["reach", "reach 2"])
      try Files.replace(folder + "/identities/%zz.json", with: [1])
      try Files.replace(folder + "/identities/.x.json.tmp", with: [1])
      try await one.remove()
      try await one.remove()
      #expect(FileIdentityStore.names(inStateDirectory: folder) == ["reach 2"])
      #expect(try await one.load() == nil)
      #expect(try await other.load() == ["secret": "t"])
    }
  }

  @Test("What could not be loaded again is not saved, and what was there stays")
  func tooLarge() async throws {
    try await withFolder { folder in
      let store = try store("cura", in: folder)
      try await store.save(["id": 46])
      await #expect(throws: (any Error).self) {
        try await store.save(["id": .string(String(repeating: "x", count: 1 << 20))])
      }
      #expect(try await store.load() == ["id": 46])
    }
  }

  @Test("A backend's own files are 0600 in a folder of its own, and nobody else's")
  func backendFiles() async throws {
    try await withFolder { folder in
      let directory = try StateDirectory(opening: folder, configurationPath: "/nowhere")
      let (one, other) = (
        BackendFiles(directory: directory, name: "hub"),
        BackendFiles(directory: directory, name: "../hub")
      )
      #expect(try await one.read("memory.json") == nil)
      try await one.replace("memory.json", with: [1])
      try await other.replace("memory.json", with: [2])
      #expect(try await one.read("memory.json") == [1])
      #expect(try await other.read("memory.json") == [2])
      #expect(try Files.information(folder + "/backends/hub/memory.json")?.mode == 0o600)
      #expect(try Files.information(folder + "/backends/hub")?.mode == 0o700)
      #expect(try Files.names(in: folder + "/backends").count == 2)
    }
  }

  @Test(
    "A name cannot leave the folder, and two names never share a file",
    arguments: [
      ("reach", "reach"), ("../x", "%2E%2E%2Fx"), (".hidden", "%2Ehidden"), ("a/b", "a%2Fb"),
      ("Küche", "K%C3%BCche"), ("a%2Fb", "a%252Fb"), ("\u{1}", "%01"),
    ])
  func fileNames(name: String, file: String) {
    #expect(FileIdentityStore.fileName(for: name) == file)
  }

  @Test("Long names stay apart and below what file systems take")
  func longNames() {
    let names = ["a", "b"].map {
      FileIdentityStore.fileName(for: String(repeating: "ü", count: 255) + $0)
    }
    #expect(names[0] != names[1])
    #expect(names.allSatisfy { $0.utf8.count < 200 })
  }

  @Test(
    "A damaged or much newer file parks the backend, says what to do and stays as it is",
    arguments: [
      ("", "damaged"), ("{", "damaged"), ("[]", "damaged"), (#"{"identity":{}}"#, "damaged"),
      (#"{"schema":1}"#, "damaged"), (#"{"schema":1,"identity":3}"#, "damaged"),
      (#"{"schema":3,"identity":{}}"#, "newer printer-uplink"),
    ])
  func refuses(text: String, word: String) async throws {
    try await withFolder { folder in
      let store = try store("reach", in: folder)
      try await store.save([:])
      let path = folder + "/identities/reach.json"
      try Files.replace(path, with: Array(text.utf8))
      let failure = await #expect(throws: BackendFailure.self) { try await store.load() }
      #expect(failure?.action == .park)
      #expect(failure?.problem.contains(word) == true)
      #expect(failure?.problem.contains(path) == true)
      #expect(failure?.remedy.contains("pair again") == true)
      #expect(try Files.read(path, limit: 100) == Array(text.utf8))
    }
  }

  @Test("A file of the next schema can be read, for a release that is rolled back")
  func nextSchema() async throws {
    try await withFolder { folder in
      let store = try store("reach", in: folder)
      try await store.save([:])
      try Files.replace(
        folder + "/identities/reach.json",
        with: Array(#"{"schema":2,"identity":{"id":"x","new":1},"more":[]}"#.utf8))
      #expect(try await store.load() == ["id": "x", "new": 1])
    }
  }
}
