import ConnectorKit
import Foundation
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Store: size and speed", .serialized) struct StoreMeasureTests {
  private let bench: StoreBench
  init() throws { bench = try StoreBench() }

  /// Resident bytes of this process.
  private func resident() throws -> Int {
    let text = String(decoding: try Files.read("/proc/self/statm", limit: 4_096), as: UTF8.self)
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4_096
  }

  @Test("A full outbox of five backends opens without loading its bodies")
  func fullOutbox() async throws {
    let store = try bench.store()
    for name in ["a", "b", "c", "d", "e"] {
      // In a few large transactions: this is the preparation.
      try await store.write { tables, file in
        for number in 0..<500 {
          _ = try file.put(
            item("\(number)", bytes: 3_000), of: name, at: tables.now, tables)
        }
      }
    }
    await store.close()
    let before = try resident()
    let clock = ContinuousClock()
    let again = try bench.store()
    let elapsed = try await clock.measure {
      _ = try await again.recoverInterrupted()
      #expect(try await again.counts().values.reduce(0, +) == 2_500)
      for name in ["a", "b", "c", "d", "e"] {
        #expect(try await again.oldest(of: name)?.item.key == "0")
      }
    }
    let grown = try resident() - before
    print("full outbox: opened in \(elapsed), resident + \(grown / 1_024) KiB")
    // Generous: other tests run beside this one. The bodies alone are 7.5 MB.
    #expect(elapsed < .seconds(3))
  }

  @Test("A command's two writes")
  func latency() async throws {
    let store = try bench.store()
    try await store.setValue("x", 1)
    let clock = ContinuousClock()
    var times: [Duration] = []
    for number in 0..<(ProcessInfo.processInfo.environment["UPLINK_MEASURE"] == nil ? 50 : 1_000) {
      let intent = bench.intent("\(number)", owed: item("i\(number)", bytes: 200))
      times.append(
        try await clock.measure {
          try await store.begin(intent)
          try await store.end(intent.id, .done(), owed: item("i\(number)", bytes: 200))
        })
    }
    times.sort()
    print(
      "begin + end: median \(times[times.count / 2]), p99 \(times[times.count * 99 / 100]), most \(times[times.count - 1])"
    )
    #expect(try await store.counts() == ["dock": min(500, times.count)])
  }
}
