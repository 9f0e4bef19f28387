internal import ConnectorKit
internal import Platform

/// Answers PrintDock's requests for pictures. Asks for them only while Moonraker lists a camera, or where the owner wants
/// them asked for; a picture is fetched for a request only.
struct WebcamLoop: Sendable {
  /// How often to look for a camera that nobody has told of.
  static let search = Duration.seconds(600)
  /// How long to wait for a list of cameras that was not to be had.
  static let patience = Duration.seconds(5)
  /// The largest picture, in bytes.
  static let largest = 10 << 20
  /// Where web interfaces have the camera that Moonraker does not know of.
  static let paths = ["/webcam/?action=snapshot", "/webcam/snapshot", "/server/webcam/snapshot"]

  let session: Session
  /// The time between two polls; zero: never.
  let interval: Duration
  /// Whether the owner has written the interval: then there is a camera, whatever Moonraker lists.
  let isWanted: Bool
  let uiPort: Int

  private var context: BackendContext { session.context }

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    guard interval > .zero else { return }
    let events = context.status.events()
    let nudge = Nudge()
    let isKnown = Guarded(false)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await event in events {
          switch event {
          case .webcams, .link:
            isKnown.withLock { $0 = false }
            nudge.send()
          case .job, .klippy, .printState: break
          }
        }
      }
      group.addTask { try await poll(nudge, isKnown) }
      try await group.waitForAll()
    }
  }

  /// Answers what is asked for now.
  ///
  /// - Throws: `CloudError` of the first that went wrong, `CancellationError`.
  func runOnce() async throws {
    guard interval > .zero else { return }
    var memory = WebcamMemory()
    let requests = try await fetch()
    if let error = try await answer(requests, &memory) { throw error }
  }

  /// - Parameter isKnown: whether there is a camera for all we know; false: to be found out.
  private func poll(_ nudge: Nudge, _ isKnown: Guarded<Bool>) async throws {
    let admission = session.admission.waiter(context.time)
    let cameras = nudge.waiter(context.time)
    var memory = WebcamMemory()
    var schedule = CallSchedule(interval: interval)
    var next = context.time.now.advanced(by: interval * context.random())
    while true {
      while context.time.now < next { try await admission.wait(until: next) }
      try await session.admitted(admission)
      if !isWanted, !isKnown.withLock({ $0 }) {
        isKnown.withLock { $0 = true }
        if let pause = await pauseWithoutCamera() {
          isKnown.withLock { $0 = false }
          try await cameras.wait(until: context.time.now.advanced(by: pause))
          continue
        }
      }
      let start = context.time.now
      var requests: [WebcamRequest] = []
      var error = try await session.failure { requests = try await fetch() }
      if error == nil {
        let refusal = try await answer(requests, &memory)
        error = refusal.flatMap { $0.kind == .unauthorized ? $0 : nil }
      }
      session.ended(.webcam, error)
      next = schedule.next(
        after: start, endedAt: context.time.now, error: error, random: context.random())
    }
  }

  private func fetch() async throws -> [WebcamRequest] {
    try await session.client.webcamRequests(as: session.identity)
      .compactMap(WebcamRequest.init)
  }

  /// Answers requests with one picture for all of ours.
  ///
  /// - Returns: the first error of PrintDock's; a picture that cannot be had is none.
  /// - Throws: `CancellationError`.
  private func answer(
    _ requests: [WebcamRequest], _ memory: inout WebcamMemory
  ) async throws -> CloudError? {
    let now = context.time.now
    let worthwhile = requests.filter { memory.allows($0.id, at: now) }
    var first: CloudError?
    var picture: Result<WebcamFrame, WebcamFailure>?
    for request in worthwhile {
      let isOurs = request.printer == session.identity.printerID
      var (bytes, type): ([UInt8], String) = ([], "application/json")
      if isOurs {
        let result = await picture.orFetched { await frame() }
        picture = result
        switch result {
        case .success(let frame): (bytes, type) = (frame.bytes, frame.contentType)
        case .failure(let failure):
          memory.failed(request.id, at: now)
          context.log(.warning, "no picture for request \(request.id.printable): \(failure)")
          continue
        }
      }
      let error = try await session.failure {
        try await session.client.picture(
          bytes, type: type, for: request.id, printer: request.printer, as: session.identity)
      }
      guard let error else {
        memory.succeeded(request.id)
        continue
      }
      memory.failed(request.id, at: now)
      context.log(
        .warning, "picture for request \(request.id.printable): \(error.problem)")
      first = first ?? error
      if error.kind == .unauthorized { break }
    }
    return first
  }

  // MARK: The camera

  /// When to look again for a camera; nil: there is one.
  private func pauseWithoutCamera() async -> Duration? {
    do throws(WebcamFailure) {
      return try await context.webcams.hasCamera() ? nil : Self.search
    } catch {
      return Self.patience
    }
  }

  private func frame() async -> Result<WebcamFrame, WebcamFailure> {
    let wish = FrameWish(
      maximumAge: .seconds(2), maximumBytes: Self.largest, mustBeJPEG: false, pagePort: uiPort,
      fallbackPaths: Self.paths)
    do throws(WebcamFailure) {
      return .success(try await context.webcams.frame(wish))
    } catch {
      return .failure(error)
    }
  }
}

extension Optional {
  /// The value, or the one that `fetch` gives.
  fileprivate func orFetched(_ fetch: () async -> Wrapped) async -> Wrapped {
    if let self { return self }
    return await fetch()
  }
}
