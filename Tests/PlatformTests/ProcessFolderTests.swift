import Foundation
import Platform
import Testing

@Suite("/proc") struct ProcessFolderTests {
  @Test("It shows this process, or it is another one's, or none")
  func shows() throws {
    #expect(ProcessFolder.showsThisProcess())
    let folder = FileManager.default.temporaryDirectory.appending(path: "proc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(!ProcessFolder.showsThisProcess(in: folder.path))
    let link = folder.path + "/self"
    for (target, isOurs) in [("1234567", false), ("\(getpid())", true)] {
      try? FileManager.default.removeItem(atPath: link)
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
      #expect(ProcessFolder.showsThisProcess(in: folder.path) == isOurs)
    }
  }
}
