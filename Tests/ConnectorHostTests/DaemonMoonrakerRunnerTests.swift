import ConnectorKit
import Moonraker
import Networking
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("The link in force") struct DaemonMoonrakerRunnerTests {
  let time = ManualTime()

  func runner(_ network: Network) -> MoonrakerRunner {
    MoonrakerRunner(
      cache: StatusCache(time: time), network: network, time: time,
      log: Log(label: "moonraker", sink: RecordingSink()))
  }

  @Test("without a link, commands and files fail at once as not connected")
  func notStarted() async throws {
    let network = try Network()
    defer { network.shutdown() }
    let executor = MoonrakerExecutor(moonraker: runner(network))
    let path = try #require(GCodePath("a.gcode"))
    func expectNotConnected(_ body: () async throws -> Void) async {
      await #expect {
        try await body()
      } throws: { error in
        let failure = error as? CommandFailure
        return failure?.reason == .notConnected && failure?.mayHaveHappened == false
      }
    }
    await expectNotConnected { _ = try await executor.perform(.emergencyStop) }
    await expectNotConnected { _ = try await executor.queuedFiles() }
    await expectNotConnected { _ = try await executor.fileState(path) }
    await expectNotConnected {
      let file = StagedFile(path: "/nonexistent/staged", size: 1, sha256: "")
      _ = try await executor.upload(file, as: path)
    }
  }

  @Test("an exchanged link has its own settings for files, and a stopped one has none")
  func exchanged() async throws {
    let network = try Network()
    defer { network.shutdown() }
    let runner = runner(network)
    for (address, isLocal) in [("http://127.0.0.1:1", true), ("http://192.0.2.7:1", false)] {
      let settings = MoonrakerSettings(address: try #require(MoonrakerAddress(address)))
      await runner.start(
        settings, networkSettings: NetworkSettings(), interest: StatusInterest())
      #expect(runner.files?.isLocal == isLocal)
    }
    await runner.stop()
    #expect(runner.files?.isLocal == nil)
  }
}
