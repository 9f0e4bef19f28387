import ConnectorKit
import Foundation
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Crashes") struct StateCrashTests {
  private let time = ManualTime()

  /// A start after a run that ended with this mark.
  private func start(_ folder: String, after mark: String) throws -> CrashLedger {
    let directory = try StateDirectory(opening: folder, configurationPath: "/nowhere")
    try directory.replace("crash", with: Array(mark.utf8))
    return CrashLedger(
      directory: directory, time: time, log: Log(label: "host", sink: RecordingSink()),
      mark: { _ in })
  }

  @Test("A backend that crashed three times within a day is parked, its neighbours are not")
  func parks() throws {
    try withFolder { folder in
      #expect(try start(folder, after: "bad").refusal(of: "bad") == nil)
      #expect(try start(folder, after: "").refusal(of: "bad") == nil)
      #expect(try start(folder, after: "bad").refusal(of: "bad") == nil)
      let third = try start(folder, after: "bad")
      let refusal = try #require(third.refusal(of: "bad"))
      #expect(refusal.action == .park)
      #expect(refusal.remedy.contains(folder + "/crashes.json"))
      #expect(third.refusal(of: "good") == nil)
      #expect(third.refusal(of: "bad") == nil, "a changed entry is another chance")
      #expect(try start(folder, after: "").refusal(of: "bad") != nil)
    }
  }

  @Test("Crashes are forgotten after a day, and a mark counts once")
  func forgets() throws {
    try withFolder { folder in
      for _ in 0..<2 { _ = try start(folder, after: "bad") }
      time.advance(by: .seconds(25 * 3_600))
      #expect(try start(folder, after: "bad").refusal(of: "bad") == nil)
      #expect(try Files.read(folder + "/crash", limit: 100) == [])
    }
  }

  @Test("A damaged count starts anew")
  func damaged() throws {
    try withFolder { folder in
      try Files.replace(folder + "/crashes.json", with: Array("{{".utf8))
      #expect(try start(folder, after: "bad").refusal(of: "bad") == nil)
    }
  }

  @Test("A trap leaves the name of the backend that was at work, and ends the process as ever")
  func mark() async throws {
    try await withFolder { folder in
      let path = folder + "/crash"
      try Files.replace(path, with: [])
      await #expect(processExitsWith: .failure) { [path = path as String] in
        CrashMark.install(path)
        await CrashMark.marking("good") {}
        await CrashMark.marking("bad one") {
          let (_, _) = await (CrashMark.marking("good") {}, ())
          await Task { _ = [Int]()[CommandLine.arguments.count] }.value
        }
      }
      #expect(CrashMark.name(in: path) == "bad one")
    }
  }

  @Test("A trap of the host itself is nobody's")
  func hostCrash() async throws {
    try await withFolder { folder in
      let path = folder + "/crash"
      try Files.replace(path, with: [])
      await #expect(processExitsWith: .failure) { [path = path as String] in
        CrashMark.install(path)
        await CrashMark.marking("good") {}
        _ = [Int]()[CommandLine.arguments.count]
      }
      #expect(CrashMark.name(in: path) == nil)
    }
  }
}
