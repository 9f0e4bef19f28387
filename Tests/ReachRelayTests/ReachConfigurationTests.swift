import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ReachRelay

@Suite("Reach: an entry's meaning", .timeLimit(.minutes(1))) struct ReachConfigurationTests {
  @Test(
    "The idle interval is never longer than a telemetry interval that is written down",
    arguments: [
      (nil, nil, 10, 30), (5, nil, 5, 5), (60, nil, 60, 30), (nil, 20, 10, 20), (10, 60, 10, 10),
      (60, 20, 60, 20),
    ] as [(Int?, Int?, Int, Int)])
  func intervals(_ busy: Int?, _ idle: Int?, _ expectedBusy: Int, _ expectedIdle: Int) throws {
    var values: [String: SettingValue] = ["relay": .string("https://relay.example.com")]
    values["telemetry_interval"] = busy.map { SettingValue.duration(.seconds($0)) }
    values["telemetry_idle_interval"] = idle.map { SettingValue.duration(.seconds($0)) }
    let configuration = try ReachConfiguration(.written(values))
    #expect(configuration.telemetryInterval == .seconds(expectedBusy))
    #expect(configuration.telemetryIdleInterval == .seconds(expectedIdle))
  }

  @Test("With a pinned key every call goes over the client that asks for it, the probe's too")
  func pin() async throws {
    let key = "sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE="
    let bench = TestBench.reach(
      identity: ["token": "t1", "printer_id": "p"], takesPulls: true
    ) { _, _ in .ok() }
    let free = TestBench.reach(takesPulls: true) { _, _ in .ok() }
    let asked = Guarded<[String]>([])
    var context = bench.context("reach")
    context.http = free.transport
    context.pinnedHTTP = { [transport = bench.transport] pin in
      asked.withLock { $0.append(pin) }
      return transport
    }
    let settings = Settings.written([
      "relay": .string("https://relay.example.com"), "printer_ip": .string("192.0.2.10"),
      "pinned_public_key": .string(key),
    ])
    try await ReachRelayBackend(settings: settings, context: context).runOnce()
    _ = try await ReachRelayBackend.probe(settings: settings, context: context)
    #expect(free.transport.requests.isEmpty)
    #expect(bench.transport.requests.count == 4)
    #expect(Set(asked.withLock { $0 }) == [key])
  }
}
