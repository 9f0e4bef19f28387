internal import ConnectorKit
internal import Imaging
internal import Moonraker
internal import Networking
internal import Platform

/// The one webcam service: who asks while a picture is fetched or worked on joins in, and a picture stays in memory
/// only for as long as somebody's next wish could still take it.
///
/// Nothing runs while nobody asks. What is fetched for several ends when the last of them is cancelled.
actor HostWebcams: WebcamService {
  /// Longer no picture is kept, however old a wish allows it to be.
  static let longestKept: Duration = .seconds(10)
  /// So long a failure, and the list of cameras, answers for all who ask.
  static let settled: Duration = .seconds(1)

  private struct Failure: Error, Sendable {
    var failure: WebcamFailure
    var tried: Set<FrameAddress>
    var at: MonotonicInstant
  }
  private typealias Fetch = JoinedWork<Result<CapturedFrame, Failure>>
  private typealias Listing = JoinedWork<Result<[WebcamDescription], WebcamFailure>>

  /// What is known of one camera.
  private struct Shelf {
    var fetch: (serial: Int, work: Fetch)?
    var frame: CapturedFrame?
    var failure: Failure?
    /// The address that worked last.
    var goodAddress: FrameAddress?
  }

  private let directory: any CameraDirectory
  private let fetcher: FrameFetcher
  private let printerHost: String
  private let time: any TimeSource

  private var shelves: [String: Shelf] = [:]
  private var listing: (work: Listing, startedAt: MonotonicInstant)?
  private var serial = 0
  /// The oldest picture that anybody has ever been content with, within limits.
  private var longestAge: Duration = .zero
  private var isSweeping = false

  /// A service.
  ///
  /// - Parameters:
  ///   - directory: who knows the cameras.
  ///   - transport: what fetches the pictures.
  ///   - printerHost: the printer's name or address, for paths of its web page: `127.0.0.1`, or Moonraker's
  ///     host, IPv6 without brackets.
  ///   - time: the clock.
  init(
    directory: any CameraDirectory, transport: any HTTPTransport, printerHost: String,
    time: any TimeSource
  ) {
    self.directory = directory
    self.printerHost = printerHost
    self.time = time
    fetcher = FrameFetcher(transport: transport, time: time)
  }

  /// A frame, turned and flipped as the owner has set it; on the service's actor, the work itself elsewhere.
  ///
  /// - Throws: `WebcamFailure`; `unreachable` when the calling task is cancelled, at once.
  func frame(_ wish: FrameWish) async throws(WebcamFailure) -> WebcamFrame {
    longestAge = max(longestAge, min(wish.maximumAge, Self.longestKept))
    // More than one round only where another one's work ended without a result for us.
    while !Task.isCancelled {
      // Whoever names addresses does not need Moonraker's list.
      let listed = wish.addresses.isEmpty ? await cameras() : .success([])
      guard let cameras = listed else { continue }
      let plan = try FramePlan(wish, cameras: cameras, printerHost: printerHost)
      guard let captured = try await captured(plan, maximumAge: wish.maximumAge),
        let frame = await captured.rendered(Rendition(wish))
      else { continue }
      return try frame.get()
    }
    throw WebcamFailure(.unreachable, "cancelled")
  }

  // MARK: The list of cameras

  /// Whether an enabled camera is listed; asks anew each time, so that a change just told of is seen.
  ///
  /// - Throws: `WebcamFailure`: Moonraker has not given its list within 5 s.
  func hasCamera() async throws(WebcamFailure) -> Bool {
    try await Self.list(directory, time).get().contains(where: \.isEnabled)
  }

  /// How a camera's picture is turned; asks anew each time.
  ///
  /// - Throws: `WebcamFailure`: no such camera, or Moonraker has not given its list within 5 s.
  func orientation(of camera: String?) async throws(WebcamFailure) -> FrameOrientation? {
    try FramePlan.choose(camera, of: try await Self.list(directory, time).get())?.orientation
  }

  private func cameras() async -> Result<[WebcamDescription], WebcamFailure>? {
    let now = time.now
    if let listing, !listing.work.isAbandoned,
      listing.startedAt.duration(to: now) < Self.settled || !listing.work.hasEnded
    {
      return await listing.work.value()
    }
    let work = Listing { [directory, time] in
      await Self.list(directory, time)
    }
    listing = (work, now)
    return await work.value()
  }

  private static func list(
    _ directory: any CameraDirectory, _ time: any TimeSource
  ) async -> Result<[WebcamDescription], WebcamFailure> {
    await withTaskGroup(of: Result<[WebcamDescription], WebcamFailure>.self) { group in
      group.addTask {
        do {
          return .success(try await directory.cameras())
        } catch {
          return .failure(
            WebcamFailure(.unreachable, "Moonraker's list of cameras is not to be had: \(error)"))
        }
      }
      group.addTask {
        try? await time.sleep(for: FrameFetcher.patience)
        return .failure(
          WebcamFailure(.unreachable, "Moonraker has not listed its cameras within 5 s"))
      }
      let first = await group.next()
      group.cancelAll()
      return first ?? .success([])
    }
  }

  // MARK: Pictures

  /// A picture that is young enough; nil when another one's fetch, which was joined, did not try our addresses
  /// or turned the picture otherwise.
  private func captured(
    _ plan: FramePlan, maximumAge: Duration
  ) async throws(WebcamFailure) -> CapturedFrame? {
    let shelf = shelves[plan.key] ?? Shelf()
    let now = time.now
    if let frame = shelf.frame, frame.orientation == plan.orientation,
      frame.capturedAt.duration(to: now) <= maximumAge
    {
      return frame
    }
    if let failure = shelf.failure, failure.at.duration(to: now) < Self.settled,
      failure.tried.isSuperset(of: plan.addresses)
    {
      throw failure.failure
    }
    let running = shelf.fetch.flatMap { $0.work.isAbandoned ? nil : $0.work }
    let fetch = running ?? startFetch(plan)
    switch await fetch.value() {
    case .success(let frame): return frame.orientation == plan.orientation ? frame : nil
    case .failure(let failure) where failure.tried.isSuperset(of: plan.addresses):
      throw failure.failure
    case .failure, nil: return nil
    }
  }

  private func startFetch(_ plan: FramePlan) -> Fetch {
    serial += 1
    let own = serial
    var shelf = shelves[plan.key] ?? Shelf()
    var addresses = plan.addresses
    if !plan.keepsOrder, let good = shelf.goodAddress, let index = addresses.firstIndex(of: good) {
      addresses.insert(addresses.remove(at: index), at: 0)
    }
    let work = Fetch { [weak self, fetcher, time, addresses] in
      do throws(WebcamFailure) {
        let picture = try await fetcher.fetch(addresses, patience: plan.patience)
        let frame = CapturedFrame(picture, plan: plan, capturedAt: time.now)
        await self?.keep(.success(frame), from: picture.address, of: plan.key, serial: own)
        return .success(frame)
      } catch {
        let failure = Failure(failure: error, tried: Set(addresses), at: time.now)
        await self?.keep(.failure(failure), from: nil, of: plan.key, serial: own)
        return .failure(failure)
      }
    }
    shelf.fetch = (own, work)
    shelves[plan.key] = shelf
    return work
  }

  private func keep(
    _ result: Result<CapturedFrame, Failure>, from address: FrameAddress?, of key: String,
    serial: Int
  ) {
    // Where a newer fetch is under way, this one was abandoned.
    guard var shelf = shelves[key], shelf.fetch?.serial == serial else { return }
    shelf.fetch = nil
    switch result {
    case .success(let frame):
      shelf.frame = longestAge > .zero ? frame : nil
      shelf.failure = nil
      shelf.goodAddress = address
    case .failure(let failure):
      if !Task.isCancelled { shelf.failure = failure }
    }
    shelves[key] = shelf
    sweep()
  }

  // MARK: Forgetting

  /// Starts what drops old pictures, unless it is at work; it ends with the last of them.
  private func sweep() {
    guard !isSweeping, nextExpiry != nil else { return }
    isSweeping = true
    Task { [weak self, time] in
      while let expiry = await self?.nextExpiryOrRest() {
        try? await time.sleep(until: expiry)
        await self?.dropExpired()
        // What lay in the heap.
        _ = try? await offload { JPEGImage.returnMemory() }
      }
    }
  }

  private var nextExpiry: MonotonicInstant? {
    shelves.values.compactMap { $0.frame?.capturedAt.advanced(by: longestAge) }.min()
  }

  private func nextExpiryOrRest() -> MonotonicInstant? {
    let expiry = nextExpiry
    if expiry == nil { isSweeping = false }
    return expiry
  }

  private func dropExpired() {
    let now = time.now
    for (key, shelf) in shelves {
      guard let frame = shelf.frame, frame.capturedAt.advanced(by: longestAge) <= now else {
        continue
      }
      shelves[key]?.frame = nil
    }
  }

  /// How many pictures are in memory.
  var keptFrames: Int { shelves.values.count { $0.frame != nil } }
}
