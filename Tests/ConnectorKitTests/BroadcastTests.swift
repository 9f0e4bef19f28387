import Platform
import Testing

@testable import ConnectorKit

@Suite("Broadcast") struct BroadcastTests {
  @Test("Every reader sees every element, in order", .timeLimit(.minutes(1)))
  func fanOut() async {
    let broadcast = Broadcast<Int>(.queue(1_000))
    let subscriptions = (0..<5).map { _ in broadcast.subscribe() }
    for number in 0..<1_000 { broadcast.send(number) }
    for subscription in subscriptions {
      for number in 0..<1_000 { #expect(await subscription.next() == number) }
      #expect(subscription.skipped == 0)
    }
  }

  @Test("The newest-only lane keeps the newest and counts what was missed", .timeLimit(.minutes(1)))
  func newest() async {
    let broadcast = Broadcast<Int>(.newest)
    let subscription = broadcast.subscribe(startingWith: -1)
    for number in 0..<10 { broadcast.send(number) }
    #expect(await subscription.next() == 9)
    #expect(subscription.skipped == 10)
    broadcast.send(10)
    #expect(await subscription.next() == 10)
    #expect(subscription.skipped == 10)
  }

  @Test("A reader that asks for some elements is not woken by the others", .timeLimit(.minutes(1)))
  func filter() async {
    let broadcast = Broadcast<Int>(.newest)
    let even = broadcast.subscribe(startingWith: 1) { $0.isMultiple(of: 2) }
    let all = broadcast.subscribe()
    #expect(await even.next() == 1)
    async let next = even.next()
    while !even.isAwaited { await Task.yield() }
    for number in [3, 5, 7] {
      broadcast.send(number)
      #expect(even.isAwaited)
    }
    #expect(even.skipped == 0)
    #expect(await all.next() == 7)
    broadcast.send(8)
    #expect(await next == 8)
  }

  @Test("A full queue drops the new ones and counts them", .timeLimit(.minutes(1)))
  func overflow() async {
    let broadcast = Broadcast<Int>(.queue(3))
    let subscription = broadcast.subscribe()
    for number in 0..<10 { broadcast.send(number) }
    #expect(await [subscription.next(), subscription.next(), subscription.next()] == [0, 1, 2])
    #expect(subscription.skipped == 7)
    broadcast.send(10)
    #expect(await subscription.next() == 10)
  }

  @Test("A waiting reader is handed the element", .timeLimit(.minutes(1)))
  func waiting() async {
    let broadcast = Broadcast<Int>(.newest)
    let subscription = broadcast.subscribe()
    async let element = subscription.next()
    while !subscription.isAwaited { await Task.yield() }
    broadcast.send(7)
    #expect(await element == 7)
    #expect(subscription.skipped == 0)
  }

  @Test("Dropping a subscription unsubscribes; a dropped broadcast leaves what was sent")
  func dropping() async {
    var broadcast: Broadcast<Int>? = Broadcast(.queue(4))
    let kept = broadcast?.subscribe()
    for _ in 0..<100 { _ = broadcast?.subscribe() }
    #expect(broadcast?.readerCount == 1)
    broadcast?.send(1)
    broadcast = nil
    #expect(await kept?.next() == 1)
  }

  @Test(
    "A reader ends when its task is cancelled, before or while it waits", .timeLimit(.minutes(1)))
  func cancellation() async {
    let broadcast = Broadcast<Int>(.queue(4))
    let subscription = broadcast.subscribe()
    let waiting = Task { await subscription.next() }
    while !subscription.isAwaited { await Task.yield() }
    waiting.cancel()
    #expect(await waiting.value == nil)
    #expect(!subscription.isAwaited)
    broadcast.send(1)
    let before = Task {
      while !Task.isCancelled { await Task.yield() }
      return await subscription.next()
    }
    before.cancel()
    #expect(await before.value == nil)
    #expect(await subscription.next() == 1)
  }

  @Test("`for await` reads until the task is cancelled", .timeLimit(.minutes(1)))
  func loop() async {
    let broadcast = Broadcast<Int>(.queue(100))
    let subscription = broadcast.subscribe(startingWith: 0)
    let seen = Guarded<[Int]>([])
    let reader = Task {
      for await number in subscription { seen.withLock { $0.append(number) } }
    }
    for number in 1...10 { broadcast.send(number) }
    while seen.withLock({ $0.count }) < 11 { await Task.yield() }
    reader.cancel()
    await reader.value
    #expect(seen.withLock { $0 } == Array(0...10))
  }

  @Test(
    "Concurrent writers and readers: nothing is lost, doubled or out of order",
    .timeLimit(.minutes(1)))
  func stress() async {
    let broadcast = Broadcast<Stamped>(.queue(.max))
    let writers = 4
    let each = 2_000
    let orders = await withTaskGroup(of: [Stamped].self) { group in
      for _ in 0..<6 {
        let subscription = broadcast.subscribe()
        group.addTask {
          var seen: [Stamped] = []
          while seen.count < writers * each, let next = await subscription.next() {
            seen.append(next)
          }
          return seen
        }
      }
      await withTaskGroup(of: Void.self) { writing in
        for writer in 0..<writers {
          writing.addTask {
            for number in 0..<each {
              broadcast.send(Stamped(writer: writer, number: number))
              if number % 100 == 0 { await Task.yield() }
            }
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    for order in orders {
      #expect(order == orders.first)
      for writer in 0..<writers {
        #expect(order.filter { $0.writer == writer }.map(\.number) == Array(0..<each))
      }
    }
  }

  @Test(
    "A slow reader delays nobody: the sum of seen and skipped is what was sent",
    .timeLimit(.minutes(1)), arguments: [true, false])
  func slowReader(isNewest: Bool) async {
    let broadcast = Broadcast<Int>(isNewest ? .newest : .queue(8))
    let subscription = broadcast.subscribe()
    let count = 20_000
    let reader = Task {
      var seen: [Int] = []
      while let number = await subscription.next() {
        seen.append(number)
        if number == -1 { break }
        if seen.count % 10 == 0 { for _ in 0..<20 { await Task.yield() } }
      }
      return seen
    }
    for number in 0..<count { broadcast.send(number) }
    // The end mark may itself be dropped by a full queue: it is sent until the reader has ended.
    let closer = Task {
      var sent = 0
      while !Task.isCancelled {
        broadcast.send(-1)
        sent += 1
        await Task.yield()
      }
      return sent
    }
    let seen = await reader.value.filter { $0 >= 0 }
    closer.cancel()
    let marks = await closer.value
    #expect(seen == seen.sorted())
    #expect(Set(seen).count == seen.count)
    #expect(UInt64(seen.count) + subscription.skipped <= UInt64(count + marks))
    #expect(UInt64(seen.count) + subscription.skipped >= UInt64(count) - (isNewest ? 0 : 8))
  }

  @Test("Cancellations that race with elements: each reader ends once", .timeLimit(.minutes(1)))
  func cancelRaces() async {
    let broadcast = Broadcast<Int>(.newest)
    let ended = await withTaskGroup(of: Bool.self) { group in
      for round in 0..<2_000 {
        group.addTask {
          let subscription = broadcast.subscribe()
          let reader = Task { await subscription.next() }
          if round % 2 == 0 { await Task.yield() }
          reader.cancel()
          _ = await reader.value
          return !subscription.isAwaited
        }
        if round % 5 == 0 { broadcast.send(round) }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(ended == 2_000)
    #expect(broadcast.readerCount == 0)
  }

  @Test(
    "Two tasks that read one subscription share the elements without a trap",
    .timeLimit(.minutes(1)))
  func twoReaders() async {
    let broadcast = Broadcast<Int>(.queue(8))
    let subscription = broadcast.subscribe()
    async let first = subscription.next()
    async let second = subscription.next()
    while subscription.waiterCount < 2 { await Task.yield() }
    broadcast.send(1)
    broadcast.send(2)
    let both = await [first, second]
    #expect(Set(both) == [1, 2])
  }
}

private struct Stamped: Hashable {
  var writer: Int
  var number: Int
}
