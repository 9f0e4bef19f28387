import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PolarCloud

@Suite("Polar: an hour, and a connection that breaks anywhere") struct LongRunTests {
  @Test("An idle hour: a status within every minute, nothing else, every ping answered")
  func hour() async throws {
    let polar = PolarBench(settings: ["webcam_enabled": .boolean(false)])
    polar.bench.printer.come()
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      let start = polar.bench.time.now
      var moments = [start]
      for step in 1...(3_600 / 5) {
        await polar.bench.executor.idle()
        polar.bench.time.advance(by: .seconds(5))
        polar.bench.printer.come()
        if step.isMultiple(of: 5) { cloud.socket.say("2") }
        await polar.bench.executor.idle()
        while moments.count < cloud.bodies("status").count {
          moments.append(polar.bench.time.now)
        }
      }
      #expect((60...63).contains(moments.count), "\(moments.count)")
      let gaps = zip(moments, moments.dropFirst()).map { $0.duration(to: $1) }
      #expect(gaps.allSatisfy { $0 <= .seconds(65) }, "\(gaps)")
      #expect(cloud.bodies("setVersion").count == 1)
      #expect(Set(cloud.events.map(\.name)) == ["hello", "status", "setVersion"])
      #expect(polar.bench.webSockets.requests.count == 1)
      let pings = cloud.socket.sent.count { $0 == "3" }
      #expect(pings == 3_600 / 25)
    }
  }

  @Test(
    "Broken at any packet of a life, it registers, greets, prints once and reports once",
    arguments: 1...24, [true, false])
  func breaks(at packet: Int, isDelivered: Bool) async throws {
    let polar = PolarBench(
      identity: PolarBench.unregistered, settings: ["webcam_enabled": .boolean(false)])
    polar.bench.printer.come()
    polar.bench.transfers.offer(Array("G28\n".utf8), at: "https://files.test/cube.gcode")
    try await polar.run {
      let cloud = AutomaticCloud(polar.bench, breaksAt: packet, isDelivered: isDelivered)
      let patience = ContinuousClock.now.advanced(by: .seconds(20))
      while !cloud.isContent, ContinuousClock.now < patience {
        await polar.bench.executor.idle()
        if cloud.answer() { continue }
        await polar.bench.executor.idle()
        // What is asked of the host takes its own time, and nobody waits for hours meanwhile.
        let soon = polar.bench.time.now.advanced(by: .seconds(90))
        if let next = polar.bench.time.deadlines.first, next < soon {
          polar.bench.time.advance(to: next)
        } else {
          await Task.yield()
        }
        // What it says stays new.
        polar.bench.printer.update { _ in }
      }
      #expect(cloud.isContent, "\(polar.bench.webSockets.sockets.map(\.sent))")
      #expect(cloud.hasBroken)
      await polar.bench.executor.idle()
      _ = cloud.answer()
      #expect(polar.bench.gateway.submitted.count { $0.wireName == "print" } == 1)
      #expect(cloud.reports == 1)
      for socket in polar.bench.webSockets.sockets {
        let names = AutomaticCloud.names(socket)
        #expect(!(names.contains("register") && names.contains("hello")), "\(names)")
        #expect(names.count { $0 == "hello" } <= 1)
        let early = names.prefix { $0 != "hello" && $0 != "register" }
        #expect(early.isEmpty, "\(names)")
      }
    }
  }
}

/// A cloud that answers by itself, and whose connection breaks once.
private final class AutomaticCloud {
  private let bench: TestBench
  private let breaksAt: Int
  private let isDelivered: Bool
  private var packets = 0
  private var seen: [Int] = []
  private(set) var hasBroken = false
  private(set) var reports = 0
  private var statusesAfterReport = 0
  private var prints = 0

  init(_ bench: TestBench, breaksAt: Int, isDelivered: Bool) {
    self.bench = bench
    self.breaksAt = breaksAt
    self.isDelivered = isDelivered
  }

  /// Whether the job has been reported, a status has come since, and the connection has broken.
  var isContent: Bool { reports > 0 && statusesAfterReport > 0 && hasBroken }

  static func names(_ socket: ScriptedWebSocket) -> [String] {
    socket.sent.filter { $0.hasPrefix("42") }.compactMap { text in
      text.split(separator: "\"").dropFirst().first.map(String.init)
    }
  }

  /// Answers what has come since the last call; false where nothing has.
  func answer() -> Bool {
    var hasAnswered = false
    for (number, socket) in bench.webSockets.sockets.enumerated() {
      if seen.count == number {
        seen.append(0)
        say(socket, #"0{"sid":"s","pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#)
        hasAnswered = true
      }
      let sent = socket.sent
      for text in sent[seen[number]...] {
        seen[number] += 1
        hasAnswered = true
        take(text, socket)
      }
    }
    if !hasAnswered, let last = bench.webSockets.sockets.last, !last.isClosed { last.say("2") }
    return hasAnswered
  }

  private func take(_ text: String, _ socket: ScriptedWebSocket) {
    if text == "3" || text == "1" || text == "41" { return }
    count(socket)
    if text == "40{}" {
      say(socket, #"40{"sid":"n"}"#)
      say(socket, #"42["welcome",{"challenge":"c0ffee"}]"#)
    } else if text.hasPrefix(#"42["register""#) {
      say(
        socket,
        #"42["registerResponse",{"status":"SUCCESS","reason":"SUCCESS","serialNumber":"KL000001"}]"#
      )
    } else if text.hasPrefix(#"42["hello""#) {
      say(socket, #"42["helloResponse",{"serialNumber":"KL000001","status":"SUCCESS"}]"#)
    } else if text.hasPrefix(#"42["job""#) {
      reports += 1
    } else if text.hasPrefix(#"42["status""#) {
      if reports > 0 { statusesAfterReport += 1 }
      move(socket)
    }
  }

  /// The job goes one step further with each status, at the printer as well.
  private func move(_ socket: ScriptedWebSocket) {
    if bench.gateway.submitted.contains(where: { $0.wireName == "print" }) {
      prints += 1
      let state = prints < 3 ? "printing" : "complete"
      let seconds = Int64(5 * prints)
      bench.printer.update {
        $0.objects["print_stats"] = BackendTests.stats(state, seconds)
      }
    } else if reports == 0 {
      // Handed out again until the printer has heard of it: it is the same job.
      say(
        socket,
        #"42["print",{"jobId":"aa01","jobName":"Cube","gcodeFile":"https://files.test/cube.gcode"}]"#
      )
    }
  }

  private func say(_ socket: ScriptedWebSocket, _ text: String) {
    if packets + 1 == breaksAt, !hasBroken, !isDelivered {
      packets += 1
      return drop(socket)
    }
    socket.say(text)
    count(socket)
  }

  private func count(_ socket: ScriptedWebSocket) {
    packets += 1
    if packets == breaksAt { drop(socket) }
  }

  private func drop(_ socket: ScriptedWebSocket) {
    guard !hasBroken else { return }
    hasBroken = true
    socket.drop()
  }
}
