import ConnectorKit
import JSON
import Moonraker
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("The feed of open pages") struct DashboardFeedTests {
  private let time = ManualTime()
  private let cache: StatusCache
  private let looks = Guarded(0)
  private let feed: DashboardFeed

  init() {
    cache = StatusCache(time: time)
    let looks = looks
    let outcomes = Guarded<UInt64>(0)
    feed = DashboardFeed(status: cache, time: time) { scope in
      looks.withLock { $0 += 1 }
      var view = sampleView(backends: [sampleBackend("reach", .online)]) { status in
        status.objects["extruder"]?["temperature"] = .double(Double(looks.withLock { $0 }))
      }
      if scope == .all {
        view.commands = CommandsView(
          recent: [sampleRecord("x")],
          outcomes: outcomes.withLock { count in
            count += 1
            return count
          })
      }
      return view
    }
  }

  private func text(_ stream: DashboardStream) async -> String {
    String(decoding: await stream.next() ?? [], as: UTF8.self)
  }

  @Test("Without a page nothing is looked at; with one all parts are told, and then what changes")
  func life() async throws {
    let running = Task { await feed.run() }
    defer { running.cancel() }
    feed.noteChange()
    #expect(looks.withLock { $0 } == 0)
    var stream = feed.open(for: "127.0.0.1", isFromLoopback: true)
    var heard = try await text(#require(stream))
    for part in ["program", "printer", "backends", "commands", "widened"] {
      #expect(heard.contains("event: \(part)\n"))
    }
    #expect(looks.withLock { $0 } == 1)
    feed.noteChange()
    time.advance(by: EventPacer.leastInterval)
    heard = try await text(#require(stream))
    #expect(heard.contains("event: printer\n"))
    #expect(heard.contains("event: outcome\n"))
    #expect(!heard.contains("event: program\n"))
    #expect(feed.streamCount == 1)
    stream = nil
    #expect(feed.streamCount == 0)
  }

  @Test("Many pages cost one look; only so many are let in, from one address and in all")
  func bounds() async throws {
    let running = Task { await feed.run() }
    defer { running.cancel() }
    var streams: [DashboardStream] = []
    for number in 0..<DashboardFeed.mostStreamsPerAddress {
      streams.append(
        try #require(feed.open(for: "192.0.2.7", isFromLoopback: false), "\(number)"))
    }
    #expect(feed.open(for: "192.0.2.7", isFromLoopback: false) == nil)
    while let stream = feed.open(for: "127.0.0.1", isFromLoopback: true) { streams.append(stream) }
    #expect(streams.count == DashboardFeed.mostStreams)
    #expect(feed.open(for: "192.0.2.8", isFromLoopback: false) == nil)
    for stream in streams { #expect(await text(stream).contains("event: printer\n")) }
    #expect(looks.withLock { $0 } == 1)
    streams.removeAll()
    #expect(feed.open(for: "192.0.2.7", isFromLoopback: false) != nil)
  }

  @Test("A page that ends while it waits ends at once")
  func cancellation() async throws {
    let stream = try #require(feed.open(for: "127.0.0.1", isFromLoopback: true))
    let waiting = Task { await stream.next() }
    waiting.cancel()
    #expect(await waiting.value == nil)
  }
}
