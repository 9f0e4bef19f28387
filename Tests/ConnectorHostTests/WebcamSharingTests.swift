import ConnectorKit
import Imaging
import Networking
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Webcam frames are shared") struct WebcamSharingTests {
  @Test("Nothing is fetched while nobody asks, and the list of cameras is not asked for")
  func idle() {
    let bench = WebcamBench()
    #expect(bench.asked.isEmpty)
    #expect(bench.directory.calls == 0)
    #expect(bench.time.deadlines.isEmpty)
  }

  @Test("Three wishes at the same time are one fetch, whatever size each wants")
  func threeAtOnce() async throws {
    let gate = Gate()
    let bench = WebcamBench { _, _ throws(NetworkError) in
      await gate.wait()
      return .picture()
    }
    let wishes: [FrameWish] = [.any(), .any(bytes: 700), .any(side: 32)]
    let frames = try await withThrowingTaskGroup(of: (Int, WebcamFrame).self) { group in
      for (index, wish) in wishes.enumerated() {
        group.addTask { (index, try await bench.service.frame(wish)) }
      }
      _ = try await bench.transport.requests(atLeast: 1)
      gate.open()
      return try await group.reduce(into: [Int: WebcamFrame]()) { $0[$1.0] = $1.1 }
    }
    #expect(bench.asked == ["http://cam.test/snap"])
    #expect(frames[0]?.bytes == HTTPResponse.picture().body)
    #expect(frames[1].map { $0.bytes.count <= 700 } == true)
    #expect(try frames[2].map { try JPEGImage($0.bytes).longestSide } == 32)
  }

  @Test("A frame that is young enough is served from memory, an older one is not")
  func ages() async throws {
    let bench = WebcamBench()
    let first = try await bench.service.frame(.any(age: 5))
    bench.time.advance(by: .seconds(3))
    let second = try await bench.service.frame(.any(age: 5))
    #expect(second.capturedAt == first.capturedAt)
    let third = try await bench.service.frame(.any(age: 2))
    #expect(third.capturedAt == bench.time.now)
    #expect(bench.asked.count == 2)
  }

  @Test("Three backends that ask one after the other in an interval cost one fetch")
  func oneInterval() async throws {
    let bench = WebcamBench()
    for port in [80, 80, 4_408] {
      _ = try await bench.service.frame(.any(age: 10, port: port, paths: ["/\(port)"]))
      bench.time.advance(by: .seconds(3))
    }
    #expect(bench.asked.count == 1)
  }

  @Test("A frame leaves the memory when no wish so far could take it any more")
  func forgetting() async throws {
    let bench = WebcamBench()
    _ = try await bench.service.frame(.any(age: 4))
    #expect(await bench.service.keptFrames == 1)
    bench.time.advance(to: await bench.time.nextDeadline())
    while await bench.service.keptFrames > 0 { await Task.yield() }
    #expect(bench.time.now.sinceOrigin == .seconds(1_004))
    await until { bench.time.deadlines.isEmpty }
  }

  @Test("No frame is kept for longer than ten seconds, however old a wish allows it to be")
  func longestKept() async throws {
    let bench = WebcamBench()
    _ = try await bench.service.frame(.any(age: 3_600))
    #expect(await bench.time.nextDeadline().sinceOrigin == .seconds(1_010))
  }

  @Test("A frame that nobody may take again is not kept")
  func notKept() async throws {
    let bench = WebcamBench()
    _ = try await bench.service.frame(.any(age: 0))
    #expect(await bench.service.keptFrames == 0)
    #expect(bench.time.deadlines.isEmpty)
  }

  @Test("A failure answers for a second, then the camera is asked again")
  func sharedFailure() async {
    let bench = WebcamBench { _, _ throws(NetworkError) in HTTPResponse(status: 503) }
    #expect(await bench.failure(.any())?.kind == .unreachable)
    bench.time.advance(by: .milliseconds(900))
    #expect(
      await bench.failure(.any())?.description == "http://cam.test/snap answers with status 503")
    #expect(bench.asked.count == 1)
    bench.time.advance(by: .milliseconds(200))
    #expect(await bench.failure(.any()) != nil)
    #expect(bench.asked.count == 2)
  }

  @Test("Another one's failure does not answer for addresses that were not tried")
  func otherAddresses() async throws {
    let bench = WebcamBench([]) { request, _ throws(NetworkError) in
      request.url.contains(":4408") ? .picture() : HTTPResponse(status: 404)
    }
    #expect(await bench.failure(.any(paths: ["/snap"])) != nil)
    _ = try await bench.service.frame(.any(port: 4_408, paths: ["/snap"]))
    #expect(bench.asked == ["http://127.0.0.1/snap", "http://127.0.0.1:4408/snap"])
  }

  @Test("One who is cancelled leaves at once; the others get the same fetch's frame")
  func oneLeaves() async throws {
    let gate = Gate()
    let bench = WebcamBench { _, _ throws(NetworkError) in
      await gate.wait()
      return .picture()
    }
    let first = Task { await bench.failure(.any()) }
    _ = try await bench.transport.requests(atLeast: 1)
    let executor = IdleExecutor()
    let second = Task(executorPreference: executor) { try await bench.service.frame(.any()) }
    await executor.idle()
    first.cancel()
    #expect(await first.value?.description == "cancelled")
    gate.open()
    #expect(try await second.value.bytes == HTTPResponse.picture().body)
    #expect(bench.asked.count == 1)
  }

  @Test("When all are cancelled the fetch ends, and the next wish starts anew")
  func allLeave() async throws {
    let ended = Counter()
    let bench = WebcamBench { _, number throws(NetworkError) in
      guard number == 0 else { return .picture() }
      defer { ended.increment() }
      return try await ScriptedTransport.silence()
    }
    let executor = IdleExecutor()
    let waiters = (0..<3).map { _ in
      Task(executorPreference: executor) { await bench.failure(.any()) }
    }
    _ = try await bench.transport.requests(atLeast: 1)
    await executor.idle()
    for waiter in waiters { waiter.cancel() }
    for waiter in waiters { #expect(await waiter.value != nil) }
    await until { ended.value == 1 }
    _ = try await bench.service.frame(.any())
    #expect(bench.asked.count == 2)
  }

  @Test("A hundred wishes that come and go at random end, and leave nothing behind")
  func manyWishes() async {
    let bench = WebcamBench { _, number throws(NetworkError) in
      for _ in 0..<(number % 7) { await Task.yield() }
      return number % 3 == 0 ? HTTPResponse(status: 500) : .picture()
    }
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<100 {
        group.addTask {
          let wish = Task {
            await bench.failure(.any(age: index % 3, bytes: 600 + index % 4 * 100))
          }
          for _ in 0..<(index % 11) { await Task.yield() }
          if index % 2 == 0 { wish.cancel() }
          bench.time.advance(by: .milliseconds(200))
          _ = await wish.value
        }
      }
    }
    bench.time.advance(by: .seconds(60))
    while await bench.service.keptFrames > 0 { await Task.yield() }
    await until { bench.time.deadlines.isEmpty }
  }
}
