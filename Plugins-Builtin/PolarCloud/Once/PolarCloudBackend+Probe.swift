package import ConnectorKit
internal import JSON
internal import Platform
internal import SocketIO

extension PolarCloudBackend {
  /// Connects and waits for the cloud's challenge: more would be a registration or a greeting, which changes what the cloud
  /// knows.
  package static func probe(
    settings: Settings, context: BackendContext
  ) async throws -> ProbeReport? {
    let record = PolarRecord(try await context.identity.load() ?? JSONObject())
    let configuration = try PolarConfiguration(settings, entered: record.entered)
    let loop = SessionLoop(
      configuration: configuration,
      store: try await PolarStore(context.identity, time: context.time), desk: PolarDesk(),
      context: context)
    let link = try loop.link()
    let hasChallenge = Guarded(false)
    let (events, way) = AsyncStream.makeStream(of: PolarLink.Outgoing.self)
    let closure = try await withThrowingTaskGroup(of: SocketIOClosure?.self) { group in
      group.addTask {
        var listener = PolarLink.Listener()
        listener.received = { event in
          guard case .welcome(.some) = CloudEvent(event.name, event.payload, serialNumber: nil)
          else { return }
          hasChallenge.withLock { $0 = true }
          way.finish()
        }
        return try await link.serve(events, listener)
      }
      group.addTask { [time = context.time] in
        try await time.sleep(for: PolarSession.patience)
        return nil
      }
      let first = try await group.next()
      group.cancelAll()
      return first ?? nil
    }
    let host = configuration.server.host
    if let block = record.block {
      return ProbeReport(summary: "\(block.problem); \(block.remedy)", isHealthy: false)
    }
    guard hasChallenge.withLock({ $0 }) else {
      let problem = closure.map { "\($0.problem); \($0.remedy)" } ?? "no challenge within 30 s"
      return ProbeReport(summary: "\(host): \(problem)", isHealthy: false)
    }
    guard let serial = record.serialNumber else {
      return ProbeReport(
        summary: "\(host) answers; this printer is not registered there yet", isHealthy: false)
    }
    return ProbeReport(
      summary: "\(host) answers and asks \(serial) for its signature; run --once shows more",
      isHealthy: true)
  }
}
