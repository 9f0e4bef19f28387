import BuiltinConnectors
import ConnectorHost
import ConnectorKit
import Platform
import TestSupport
import Testing

@Suite("Conformance: how backends live") struct ConformanceLifeTests {
  @Test("Making a backend starts nothing and does not touch the network", arguments: Specimen.all)
  func make(specimen: Specimen) async throws {
    try await withFolder { folder in
      let transport = HostileTransport(.dead)
      let habitat = Habitat(transport: transport)
      let settings = try specimen.settings(origin: "http://127.0.0.1:9", in: folder)
      _ = try await specimen.connector.init(settings: settings, context: habitat.context())
      for _ in 0..<1_000 { await Task.yield() }
      #expect(transport.urls.isEmpty)
      #expect(habitat.time.deadlines.isEmpty)
    }
  }

  @Test(
    "Whatever the far side does: the backend lives or fails in order, tells no secret, and ends with nothing left",
    arguments: Specimen.all, FarSide.allCases)
  func hostileFarSide(specimen: Specimen, farSide: FarSide) async throws {
    try await withFolder { folder in
      let transport = HostileTransport(farSide)
      let habitat = Habitat(transport: transport)
      let settings = try specimen.settings(origin: "http://127.0.0.1:9", in: folder)
      let supervisor = habitat.supervisor(specimen, settings)
      supervisor.start()
      await live(habitat.time, steps: 40)
      let standing = supervisor.standing
      #expect(standing.state != .stopped && standing.state != .disabled)
      // What a far side that refuses or talks nonsense says must not count as being known to it.
      let isTaken = specimen.descriptor.isAcknowledgedByStatus && farSide.isMeaningless
      // To whom the far side comes, that one's silence is no failure.
      #expect(standing.state != .online || isTaken || specimen.descriptor.isInbound)
      // No hot loop: forty steps of the clock are not hundreds of requests.
      #expect(transport.urls.count < 400, "\(transport.urls.count) requests")
      if farSide != .silent && !specimen.descriptor.isInbound {
        // Whoever got an answer says how things stand, or ends with a failure. Some work is done off the manual clock.
        let patience = ContinuousClock.now.advanced(by: .seconds(10))
        while supervisor.standing.state == .starting && ContinuousClock.now < patience {
          await live(habitat.time, steps: 1)
        }
        #expect(supervisor.standing.state != .starting)
      }
      supervisor.requestStop()
      await untilGone(supervisor, habitat.time)
      #expect(supervisor.standing.state == .stopped)
      #expect(transport.underWay == 0)
      await until { habitat.time.deadlines.isEmpty }
      for text in habitat.sink.lines + transport.urls + ["\(standing)"] {
        #expect(!text.contains(Specimen.canary), "\(text)")
      }
    }
  }

  @Test("A cancelled backend ends at every moment of its first round", arguments: Specimen.all)
  func cancelEarly(specimen: Specimen) async throws {
    try await withFolder { folder in
      let settings = try specimen.settings(origin: "http://127.0.0.1:9", in: folder)
      // Made once: a key pair takes longer than all else. Now and then it is one's very first round.
      var identity = MemoryIdentityStore()
      for moment in 0..<60 {
        if moment % 20 == 10 { identity = MemoryIdentityStore() }
        let transport = HostileTransport(moment.isMultiple(of: 2) ? .silent : .failing)
        let habitat = Habitat(transport: transport, identity: identity)
        let supervisor = habitat.supervisor(specimen, settings)
        supervisor.start()
        for _ in 0..<moment { await Task.yield() }
        supervisor.requestStop()
        await untilGone(supervisor, habitat.time)
        #expect(transport.underWay == 0)
      }
    }
  }

  @Test(
    "One round with a far side that fails is a failure, and says no secret",
    arguments: Specimen.all, [FarSide.dead, .garbage, .captivePortal, .refusing, .redirecting])
  func failingRound(specimen: Specimen, farSide: FarSide) async throws {
    let isTaken = specimen.descriptor.isAcknowledgedByStatus && farSide.isMeaningless
    guard !specimen.descriptor.isInbound, !isTaken else { return }
    try await withFolder { folder in
      let habitat = Habitat(transport: HostileTransport(farSide))
      let settings = try specimen.settings(origin: "http://127.0.0.1:9", in: folder)
      let clock = Task { await live(habitat.time, steps: 10_000) }
      defer { clock.cancel() }
      let failure = await #expect(throws: (any Error).self) {
        let backend = try await specimen.connector.init(
          settings: settings, context: habitat.context())
        try await backend.runOnce()
      }
      #expect(!"\(String(describing: failure))".contains(Specimen.canary))
    }
  }

  @Test("Two entries of one type are two accounts beside each other", arguments: Specimen.all)
  func twoAccounts(specimen: Specimen) async throws {
    try await withFolder { folder in
      let settings = try specimen.settings(origin: "http://127.0.0.1:9", in: folder)
      let habitats = [
        Habitat(name: "a", transport: HostileTransport(.failing)),
        Habitat(name: "b", transport: HostileTransport(.silent)),
      ]
      let supervisors = habitats.map { $0.supervisor(specimen, settings) }
      for supervisor in supervisors { supervisor.start() }
      for habitat in habitats { await live(habitat.time, steps: 5) }
      supervisors[0].requestStop()
      await untilGone(supervisors[0], habitats[0].time)
      #expect(supervisors[1].standing.state != .stopped)
      #expect(habitats[1].sink.lines.allSatisfy { $0.contains(" b ") })
      supervisors[1].requestStop()
      await untilGone(supervisors[1], habitats[1].time)
    }
  }
}
