import Foundation
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Watched configuration file") struct DaemonFileWatchTests {
  @Test("A written, a replaced and a linked file are noticed, a neighbour's change is not")
  func notices() async throws {
    try await withFolder { folder in
      try Files.makeFolder(folder + "/real")
      try Files.replace(folder + "/real/file", with: [1])
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/link", withDestinationPath: folder + "/real/file")
      let (direct, linked) = (Counter(), Counter())
      let watches = [
        FileWatch(folder + "/real/file") { direct.increment() },
        FileWatch(folder + "/link") { linked.increment() },
      ]
      try Files.replace(folder + "/real/neighbour", with: [1])
      try Files.replace(folder + "/real/file", with: [2])
      await until { direct.value == 1 && linked.value == 1 }
      let handle = try #require(FileHandle(forWritingAtPath: folder + "/real/file"))
      try handle.write(contentsOf: [3, 4])
      try handle.close()
      await until { direct.value == 2 && linked.value == 2 }
      try Files.replace(folder + "/real/neighbour", with: [2])
      try Files.replace(folder + "/new", with: [5])
      try FileManager.default.removeItem(atPath: folder + "/link")
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/link", withDestinationPath: folder + "/new")
      await until { linked.value == 3 }
      #expect(direct.value == 2)
      withExtendedLifetime(watches) {}
    }
  }
}
