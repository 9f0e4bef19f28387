import ConnectorKit
import Foundation
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("What was widened and nobody has seen") struct DaemonUnseenWideningsTests {
  private let folder: TemporaryFolder
  private let directory: StateDirectory
  private let sink = RecordingSink()
  private let moment = WallTime(millisecondsSinceEpoch: 1_795_252_134_000)

  init() throws {
    folder = try TemporaryFolder()
    directory = try StateDirectory(opening: folder.path + "/s", configurationPath: "/nowhere")
  }

  private func memory() -> UnseenWidenings {
    UnseenWidenings(directory: directory, log: Log(label: "host", sink: sink))
  }

  @Test("It is kept over a restart, until it is seen; what came since stays")
  func kept() {
    memory().add(["a", "b"], at: moment)
    let after = memory()
    #expect(
      after.notices == [
        WideningNotice(number: 1, at: moment, text: "a"),
        WideningNotice(number: 2, at: moment, text: "b"),
      ])
    after.add(["c"], at: moment)
    #expect(after.seen(through: 2))
    #expect(!after.seen(through: 2))
    #expect(memory().notices.map(\.text) == ["c"])
    #expect(memory().seen(through: 3))
    memory().add(["d"], at: moment)
    #expect(memory().notices.map(\.number) == [4])
    #expect(sink.lines == [])
  }

  @Test("It is bounded, and the newest stay")
  func bounded() {
    let memory = memory()
    memory.add((1...120).map { "\($0)" }, at: moment)
    #expect(memory.notices.count == UnseenWidenings.limit)
    #expect(memory.notices.last?.number == 120)
  }

  @Test(
    "A file that is not ours is said and begun anew",
    arguments: ["x", "{}", #"{"schema":1,"last_number":-5,"widenings":[1,{"number":9}]}"#])
  func damaged(text: String) throws {
    _ = try folder.write("s/widenings.json", text)
    let memory = memory()
    #expect(memory.notices == [])
    memory.add(["a"], at: moment)
    #expect(self.memory().notices.map(\.number) == [1])
  }

  @Test("Where the disk takes nothing it is shown all the same")
  func unwritable() throws {
    let memory = memory()
    try FileManager.default.createDirectory(
      atPath: folder.path + "/s/widenings.json", withIntermediateDirectories: true)
    memory.add(["a"], at: moment)
    #expect(memory.notices.map(\.text) == ["a"])
    #expect(sink.lines.count == 1)
  }
}
