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
  func kept() async {
    let first = memory()
    first.add(["a", "b"], at: moment)
    #expect(await first.save(SystemTime.shared))
    let second = memory()
    #expect(
      second.notices == [
        WideningNotice(number: 1, at: moment, text: "a"),
        WideningNotice(number: 2, at: moment, text: "b"),
      ])
    second.add(["c"], at: moment)
    #expect(second.seen(through: 2))
    #expect(!second.seen(through: 2))
    #expect(await second.save(SystemTime.shared))
    let third = memory()
    #expect(third.notices.map(\.text) == ["c"])
    #expect(third.seen(through: 3))
    #expect(await third.save(SystemTime.shared))
    let fourth = memory()
    fourth.add(["d"], at: moment)
    #expect(fourth.notices.map(\.number) == [4])
    #expect(sink.lines == [])
  }

  @Test("It is bounded, and the newest stay")
  func bounds() {
    let memory = memory()
    memory.add((1...120).map { "\($0)" }, at: moment)
    #expect(memory.notices.count == UnseenWidenings.limit)
    #expect(memory.notices.last?.number == 120)
  }

  @Test(
    "A file that is not ours is begun anew",
    arguments: ["x", "{}", #"{"schema":1,"last_number":-5,"widenings":[1,{"number":9}]}"#])
  func damaged(text: String) async throws {
    _ = try folder.write("s/widenings.json", text)
    let memory = memory()
    #expect(memory.notices == [])
    memory.add(["a"], at: moment)
    #expect(await memory.save(SystemTime.shared))
    #expect(self.memory().notices.map(\.number) == [1])
  }

  @Test("Where the disk takes nothing it is shown all the same, and said")
  func unwritable() async throws {
    let memory = memory()
    try FileManager.default.createDirectory(
      atPath: folder.path + "/s/widenings.json", withIntermediateDirectories: true)
    memory.add(["a"], at: moment)
    #expect(await !memory.save(SystemTime.shared))
    #expect(memory.notices.map(\.text) == ["a"])
    #expect(sink.lines.count == 1)
  }
}
