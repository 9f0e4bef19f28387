import ConnectorKit
import JSON
import Moonraker
import TestSupport
import Testing

@Suite("Moonraker's cameras") struct MoonrakerWebcamsTests {
  let caller = ScriptedCaller([
    "server.webcams.list": .success([
      "webcams": [
        [
          "name": "front", "enabled": true, "service": "mjpegstreamer", "uid": "u1",
          "stream_url": "/webcam/?action=stream", "snapshot_url": "/webcam/?action=snapshot",
          "flip_horizontal": true, "flip_vertical": false, "rotation": 90,
        ],
        ["name": "back", "enabled": false, "rotation": 45], ["name": ""], 5,
      ]
    ])
  ])
  let cache = StatusCache(time: ManualTime())

  @Test("are read as the owner has set them") func decoded() async throws {
    let list = try await MoonrakerWebcams(caller: caller, cache: cache).list()
    #expect(list.map(\.name) == ["front", "back"])
    let front = try #require(list.first)
    #expect(front.isEnabled && front.flipsHorizontally && !front.flipsVertically)
    #expect(front.uid == "u1")
    #expect(front.service == "mjpegstreamer")
    #expect(front.rotation == 90)
    #expect(front.snapshotURL == "/webcam/?action=snapshot")
    #expect(front.streamURL == "/webcam/?action=stream")
    let back = try #require(list.last)
    #expect(!back.isEnabled && back.snapshotURL.isEmpty && back.rotation == 0)
  }

  @Test("are asked for once, and again after each change and each connection") func kept()
    async throws
  {
    let webcams = MoonrakerWebcams(caller: caller, cache: cache)
    for _ in 0..<3 { _ = try await webcams.list() }
    #expect(caller.calls.count == 1)
    cache.apply(.disk(percent: 5))
    _ = try await webcams.list()
    #expect(caller.calls.count == 1)
    cache.apply(.webcams)
    for _ in 0..<3 { _ = try await webcams.list() }
    #expect(caller.calls.count == 2)
    cache.apply(.link(isUp: true))
    for _ in 0..<3 { _ = try await webcams.list() }
    #expect(caller.calls.count == 3)
  }

  @Test("that could not be asked for are asked for again") func failed() async throws {
    caller.answer("server.webcams.list", .failure(.timedOut))
    let webcams = MoonrakerWebcams(caller: caller, cache: cache)
    await #expect(throws: RPCFailure.timedOut) { _ = try await webcams.list() }
    caller.answer(
      "server.webcams.list", .failure(.refused(code: -32601, message: "Method not found")))
    #expect(try await webcams.list() == [])
    #expect(try await webcams.list() == [])
    #expect(caller.calls.count == 2)
  }
}
