import BuiltinConnectors
import ConnectorHost
import ConnectorKit
import Platform
import TestSupport
import Testing

/// What a backend of our own does to its neighbours.
enum BadNeighbour: String, Sendable, CaseIterable, CustomTestStringConvertible {
  case hangsInMake, throwsAtOnce, returnsAtOnce, floodsReports, ignoresCancellation, parks
  var testDescription: String { rawValue }

  func body(_ gate: Gate) -> BackendSupervisor.Body {
    { report in
      switch self {
      case .hangsInMake: try await forever()
      case .throwsAtOnce: throw BackendFailure(.retry(after: .zero), "broken")
      case .returnsAtOnce: return
      case .floodsReports:
        while !Task.isCancelled {
          for number in 0..<100 { report(.degraded(problem: "\(number)", remedy: "")) }
          await Task.yield()
        }
      case .ignoresCancellation: await gate.wait()
      case .parks: throw BackendFailure(.park, "no")
      }
    }
  }
}

@Suite("Conformance: neighbours") struct ConformanceNeighbourTests {
  /// Beats once a second for a minute; each beat is noted with its moment.
  private func beatsMissed(
    beside start: (ManualTime) -> BackendSupervisor
  ) async -> Int {
    let time = ManualTime()
    let beats = Guarded<[MonotonicInstant]>([])
    let begin = time.now
    let neighbour = start(time)
    let heart = BackendSupervisor(
      time: time, log: Log(label: "heart", sink: RecordingSink()), random: { 0.5 }
    ) { report in
      report(.online)
      for beat in 1...60 {
        try await time.sleep(until: begin.advanced(by: .seconds(beat)))
        beats.withLock { $0.append(time.now) }
      }
      try await forever()
    }
    heart.start()
    neighbour.start()
    for second in 1...60 {
      let due = begin.advanced(by: .seconds(second))
      // The clock stands still until the beat was due and came: a late one would be seen at a later moment.
      while time.now < due {
        await until { time.deadlines.contains(due) }
        time.advance(to: min(time.deadlines.first ?? due, due))
      }
      await until { beats.withLock { $0.count } == second }
    }
    await heart.stop()
    neighbour.requestStop()
    return beats.withLock { beats in
      zip(beats, 1...60).filter { $0 != begin.advanced(by: .seconds($1)) }.count
    }
  }

  @Test("No neighbour makes another backend late", arguments: BadNeighbour.allCases)
  func ownTroublemakers(kind: BadNeighbour) async {
    let gate = Gate()
    let missed = await beatsMissed { time in
      BackendSupervisor(
        time: time, log: Log(label: "bad", sink: RecordingSink()), random: { 0.5 },
        body: kind.body(gate))
    }
    gate.open()
    #expect(missed == 0)
  }

  @Test(
    "No connector makes another one late, whatever its far side does", arguments: Specimen.all,
    [FarSide.dead, .silent, .flood, .garbage, .failing])
  func connectors(specimen: Specimen, farSide: FarSide) async throws {
    try await withFolder { folder in
      let settings = try specimen.settings(origin: "http://127.0.0.1:9", in: folder)
      let missed = await beatsMissed { time in
        let habitat = Habitat(transport: HostileTransport(farSide), time: time)
        return habitat.supervisor(specimen, settings)
      }
      #expect(missed == 0)
    }
  }
}
