internal import ConnectorKit
internal import Platform

/// Sends pictures of the camera, one at a time, while they are wanted; one that is late is left out. Everything ends with
/// its task.
struct WebcamLoop: Sendable {
  /// The largest picture, in bytes.
  static let largest = 5 << 20
  /// How old a picture may be that another backend has had taken.
  static let maximumAge = Duration.seconds(2)
  /// So long a picture may take.
  static let patience = Duration.seconds(10)
  /// The longest wait for somebody's nudge.
  private static let longestWait = Duration.seconds(3_600)

  let rules: WebcamRules
  let client: RelayClient
  let printerID: String
  let desk: WebcamDesk
  let context: BackendContext
  /// Is told that all calls have to wait.
  let hold: @Sendable (Duration) -> Void

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    let waiter = desk.nudge.waiter(context.time)
    var schedule = FrameSchedule(interval: rules.interval)
    var occurrences = OccurrenceThrottle<String>()
    while true {
      let now = context.time.now
      let outlook = desk.outlook
      let due = outlook.passage.flatMap { schedule.due(for: outlook.audience, $0, now: now) }
      if let due, due <= now {
        try await send(&schedule, &occurrences)
      } else {
        let latest = now.advanced(by: Self.longestWait)
        try await waiter.wait(until: min(due ?? latest, latest))
      }
    }
  }

  private func send(
    _ schedule: inout FrameSchedule, _ occurrences: inout OccurrenceThrottle<String>
  ) async throws {
    schedule.began(at: context.time.now)
    let frame: WebcamFrame
    switch await capture() {
    case .success(let captured): frame = captured
    case .failure(let failure):
      try Task.checkCancellation()
      schedule.missed(failure.kind, at: context.time.now)
      // Without Moonraker no list of cameras: that is said of Moonraker already.
      if context.status.current.link == .connected {
        note("no picture: \(failure)", as: failure.kind.rawValue, &occurrences)
      } else {
        context.log(.debug, "webcam: no picture: \(failure)")
      }
      return
    }
    // Whoever watched may have left meanwhile, and the token may be another.
    let now = context.time.now
    let outlook = desk.outlook
    guard let passage = outlook.passage, let opensAt = passage.opensAt, opensAt <= now,
      outlook.audience.isThere(at: now)
    else { return }
    schedule.began(at: now)
    let answer = try await client.post(
      picture: frame.bytes, printerID: printerID, token: passage.token)
    schedule.ended(answer, passage, at: context.time.now)
    if case .wait(_, let pause) = answer { hold(pause) }
    guard let problem = answer.problem(host: client.relay.host) else {
      occurrences.resetAll()
      return
    }
    let isOff = schedule.notBefore >= context.time.now.advanced(by: Self.longestWait / 2)
    note(isOff ? "\(problem); off for an hour" : problem, as: answer.kind, &occurrences)
  }

  /// A picture, within ten seconds.
  private func capture() async -> Result<WebcamFrame, WebcamFailure> {
    let wish = FrameWish(
      camera: rules.camera, maximumAge: Self.maximumAge, maximumBytes: Self.largest,
      pageAddress: rules.baseURL)
    return await withTaskGroup(of: Result<WebcamFrame, WebcamFailure>.self) { group in
      group.addTask { [webcams = context.webcams] in
        do throws(WebcamFailure) {
          return .success(try await webcams.frame(wish))
        } catch {
          return .failure(error)
        }
      }
      group.addTask { [time = context.time] in
        try? await time.sleep(for: Self.patience)
        return .failure(WebcamFailure(.unreachable, "the camera has not answered within 10 s"))
      }
      let first = await group.next()
      group.cancelAll()
      return first ?? .failure(WebcamFailure(.unreachable, "cancelled"))
    }
  }

  private func note(
    _ problem: String, as kind: String, _ occurrences: inout OccurrenceThrottle<String>
  ) {
    guard let count = occurrences.note(kind) else { return }
    context.log(.warning, "webcam: \(problem)\(RelaySession.times(count))")
  }
}
