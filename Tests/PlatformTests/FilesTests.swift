import Foundation
import Platform
import Testing

@Suite("Files") final class FilesTests {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "/files-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func names() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  @Test(
    "What is replaced is read back, with its mode, and nothing else is left",
    arguments: [
      0, 1, 4_096, 300_000,
    ])
  func replacing(size: Int) throws {
    let path = folder + "/state"
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
    umask(0o077)
    try Files.replace(path, with: [1, 2, 3], mode: 0o644)
    #expect(try Files.information(path)?.mode == 0o644)
    try Files.replace(path, with: bytes)
    umask(0o022)
    #expect(try Files.read(path, limit: size) == bytes)
    #expect(try Files.information(path)?.mode == 0o600)
    #expect(names() == ["state"])
  }

  @Test(
    "What is made is there as a whole, and never in the place of something else, a dangling link included"
  )
  func creating() throws {
    let path = folder + "/new"
    try Files.create(path, with: [1, 2], mode: 0o640)
    #expect(try Files.read(path, limit: 2) == [1, 2])
    #expect(try Files.information(path)?.mode == 0o640)
    #expect(throws: PlatformError.self) { try Files.create(path, with: [3]) }
    #expect(try Files.read(path, limit: 2) == [1, 2])
    let link = folder + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder + "/away")
    #expect(throws: PlatformError.self) { try Files.create(link, with: [3]) }
    #expect(names() == ["link", "new"])
  }

  @Test("A file of somebody else is not read where its owner counts")
  func owned() throws {
    let path = folder + "/mine"
    try Files.replace(path, with: [1])
    #expect(try Files.read(path, limit: 1, ownedBy: Files.effectiveUser) == [1])
    #expect(throws: PlatformError.self) {
      try Files.read(path, limit: 1, ownedBy: Files.effectiveUser + 1)
    }
  }

  @Test("A replacement that fails leaves the former file and no temporary one")
  func failing() throws {
    let path = folder + "/occupied"
    try FileManager.default.createDirectory(atPath: path + "/x", withIntermediateDirectories: true)
    #expect(throws: PlatformError.self) { try Files.replace(path, with: [1]) }
    #expect(names() == ["occupied"])
    #expect(throws: PlatformError.self) { try Files.replace(folder + "/none/file", with: [1]) }
  }

  @Test("A replacement that keeps the owner goes through a symbolic link to the file behind it")
  func symbolicLink() throws {
    try FileManager.default.createDirectory(
      atPath: folder + "/real", withIntermediateDirectories: true)
    let real = folder + "/real/file"
    try Files.replace(real, with: [1], mode: 0o640)
    let link = folder + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "real/file")
    let found = try #require(try Files.information(link))
    try Files.replace(link, with: [2], mode: found.mode, owner: found.owner, group: found.group)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "real/file")
    #expect(try Files.read(real, limit: 10) == [2])
    #expect(try Files.information(real)?.mode == 0o640)
    #expect(names() == ["link", "real"])
  }

  @Test("The owner is kept", .enabled(if: geteuid() == 0))
  func owner() throws {
    let path = folder + "/owned"
    try Files.replace(path, with: [1], mode: 0o600)
    try #require(chown(path, 1234, 2345) == 0)
    let found = try #require(try Files.information(path))
    try Files.replace(path, with: [2], mode: found.mode, owner: found.owner, group: found.group)
    let after = try #require(try Files.information(path))
    #expect(after.owner == 1234)
    #expect(after.group == 2345)
    #expect(after.mode == 0o600)
  }

  @Test("The fingerprint changes with any write, even of the same size")
  func fingerprint() throws {
    let path = folder + "/file"
    try Files.replace(path, with: [1, 2])
    let first = try Files.information(path)?.fingerprint
    #expect(try Files.information(path)?.fingerprint == first)
    try Files.replace(path, with: [1, 2])
    #expect(try Files.information(path)?.fingerprint != first)
  }

  @Test("Reading refuses what is too large, a folder, a pipe, nothing, and a name with NUL")
  func refusals() throws {
    try Files.replace(folder + "/big", with: [UInt8](repeating: 0, count: 11))
    func number(_ path: String, limit: Int = 10) -> Int32? {
      do throws(PlatformError) {
        _ = try Files.read(path, limit: limit)
        return nil
      } catch { return error.errorNumber }
    }
    #expect(number(folder + "/big") == EFBIG)
    #expect(number(folder + "/big", limit: 11) == nil)
    #expect(number(folder) == EISDIR)
    #expect(number(folder + "/none") == ENOENT)
    #expect(number(folder + "/big\0x") == EINVAL)
    try #require(mkfifo(folder + "/pipe", 0o600) == 0)
    #expect(number(folder + "/pipe") == EINVAL)
    #expect(number("/dev/zero") == EINVAL)
  }

  @Test("A file whose size is not known in advance is read to its end")
  func procFile() throws {
    #expect(try !Files.read("/proc/self/status", limit: 1 << 20).isEmpty)
    #expect(throws: PlatformError.self) { try Files.read("/proc/self/status", limit: 10) }
  }

  @Test("Folders are made with their parents, once")
  func folders() throws {
    let path = folder + "/a/b/c"
    try Files.makeFolder(path)
    try Files.makeFolder(path, mode: 0o755)
    #expect(try Files.information(path)?.mode == 0o700)
    #expect(try Files.information(folder + "/a")?.mode == 0o755)
    try Files.replace(folder + "/file", with: [])
    #expect(throws: PlatformError.self) { try Files.makeFolder(folder + "/file") }
    #expect(throws: PlatformError.self) { try Files.makeFolder(folder + "/file/x") }
  }

  @Test("Names are sorted; removing twice is no error")
  func names_and_removal() throws {
    for name in ["b", "a", "ü"] { try Files.replace(folder + "/" + name, with: []) }
    #expect(try Files.names(in: folder) == ["a", "b", "ü"])
    try Files.remove(folder + "/a")
    try Files.remove(folder + "/a")
    #expect(try Files.names(in: folder) == ["b", "ü"])
    #expect(try Files.information(folder + "/a") == nil)
    #expect(try Files.information(folder + "/b/x") == nil)
    #expect(throws: PlatformError.self) { try Files.remove(folder) }
    #expect(throws: PlatformError.self) { try Files.names(in: folder + "/none") }
  }

  @Test(
    "The folder of a path",
    arguments: [
      ("/a/b/c", "/a/b"), ("/a", "/"), ("/", "/"), ("a", "."), ("a/b/", "a"), ("/a//b", "/a"),
    ])
  func parents(path: String, expected: String) { #expect(Files.folder(of: path) == expected) }

  @Test("An error says what failed, on what, why, and what to do")
  func errors() {
    let error = PlatformError(operation: "open", subject: "/x", errorNumber: EACCES)
    #expect(error.description.hasPrefix("cannot open /x: Permission denied; give the user"))
    let odd = PlatformError(operation: "open", subject: "/x", errorNumber: 9_999)
    #expect(odd.description.contains("9999"))
  }
}
