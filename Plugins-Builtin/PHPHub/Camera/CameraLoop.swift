internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// Takes pictures when they are due, brings them to the hub, and keeps some of a print: one at a time, beside everything
/// else, so that a camera that hangs delays nothing.
struct CameraLoop: Sendable {
  /// The most bytes of an uploaded picture: PHP takes 2 MB where nobody has set another limit.
  static let largestUpload = 1_500_000
  /// The most bytes of a picture that is in the update itself.
  static let largestInline = 200_000
  /// So many addresses are tried.
  private static let mostAddresses = 8
  /// How old a picture may be that others have just asked for.
  private static let maximumAge = Duration.seconds(2)

  let context: BackendContext
  let client: HubClient
  let address: HubAddress
  let rules: CameraRules
  let timeout: Duration
  /// With the second hub: where pictures can be seen.
  let publicURL: String?
  let desk: PictureDesk
  let timelapse: Timelapse?
  private let isUploadRefused = Guarded(false)

  private struct Reading: Equatable {
    var state: String?
    var klippy: KlippyState
    var isPrinting: Bool
    var filename: String?
  }

  init(
    context: BackendContext, client: HubClient, address: HubAddress, rules: CameraRules,
    timeout: Duration, publicURL: String?, desk: PictureDesk, timelapse: Timelapse?
  ) {
    self.context = context
    self.client = client
    self.address = address
    self.rules = rules
    self.timeout = timeout
    self.publicURL = publicURL
    self.desk = desk
    self.timelapse = timelapse
  }

  /// Until cancelled.
  func run() async throws {
    if publicURL != nil, address.image == nil { publicURL.map { desk.put($0) } }
    let nudge = Nudge()
    let waiter = nudge.waiter(context.time)
    try await withThrowingDiscardingTaskGroup { group in
      let news = context.status.snapshots(changing: { Self.reading($0) })
      group.addTask {
        for await _ in news { nudge.send() }
        throw CancellationError()
      }
      group.addTask { try await self.follow(waiter) }
    }
  }

  private func follow(_ waiter: Nudge.Waiter) async throws {
    var schedule = CameraSchedule(rules, now: context.time.now)
    var problems = OccurrenceThrottle<String>()
    while true {
      let reading = Self.reading(context.status.trusted(at: context.time.now))
      schedule.observe(
        "\(reading.state ?? "") \(reading.klippy.rawValue)", isPrinting: reading.isPrinting,
        context.time.now)
      if !reading.isPrinting, reading.state != "paused" { timelapse?.end() }
      let due = schedule.due(context.time.now)
      guard due.capture || due.timelapse else {
        try await waiter.wait(until: schedule.next)
        continue
      }
      var isDone = true
      do throws(WebcamFailure) {
        let frame = try await frame()
        if problems.reset("camera") > 0 { context.log(.info, "camera: there are pictures again") }
        if due.timelapse, let timelapse {
          await timelapse.keep(frame, of: reading.filename ?? "print")
        }
        if due.capture { try await bring(frame) }
      } catch {
        isDone = false
        // Without Moonraker no list of cameras: that is said of Moonraker already.
        if context.status.current.link != .connected {
          context.log(.debug, "camera: \(error.description)")
        } else if let count = problems.note("camera") {
          let times = count > 1 ? " (\(count) times)" : ""
          context.log(
            error.kind == .noCamera || error.kind == .notPermitted ? .info : .warning,
            "camera: \(error.description)\(times)")
        }
      }
      try Task.checkCancellation()
      schedule.ended(due, isDone: isDone, context.time.now)
    }
  }

  /// Takes one picture and brings it to the hub, for a single round; what goes wrong is said in the log.
  func runOnce() async {
    do throws(WebcamFailure) {
      try await bring(try await frame())
    } catch {
      context.log(.info, "camera: \(error.description)")
    }
  }

  private static func reading(_ status: PrinterStatus) -> Reading {
    Reading(
      state: status.isCurrent ? status.printState : nil, klippy: status.klippy,
      isPrinting: status.isCurrent && status.printState == "printing",
      filename: status.field("print_stats", "filename")?.string)
  }

  // MARK: A picture

  /// Whether the second hub gets the bytes themselves: where there is no place for them, or that has refused one.
  private var isInline: Bool {
    address.generation == .v2 && (address.image == nil || isUploadRefused.withLock { $0 })
  }

  /// The first picture that the hub can take: of the owner's addresses in their order, else of the camera that Moonraker
  /// knows.
  private func frame() async throws(WebcamFailure) -> WebcamFrame {
    guard rules.urls.count > 1 else { return try await frame(of: rules.urls) }
    var telling: WebcamFailure?
    for url in rules.urls.prefix(Self.mostAddresses) {
      do throws(WebcamFailure) {
        return try await frame(of: [url])
      } catch {
        if Task.isCancelled { throw error }
        // One that answers wrongly says more than one that is not there.
        if telling.map({ $0.kind == .unreachable }) ?? true { telling = error }
      }
    }
    throw telling ?? WebcamFailure(.noCamera, "there is no address to ask")
  }

  private func frame(of addresses: [String]) async throws(WebcamFailure) -> WebcamFrame {
    let frame = try await context.webcams.frame(
      FrameWish(
        maximumAge: Self.maximumAge,
        maximumBytes: isInline ? Self.largestInline : Self.largestUpload, mustBeJPEG: true,
        addresses: addresses, patience: timeout))
    guard frame.bytes.starts(with: [0xFF, 0xD8]) else {
      throw WebcamFailure(.notAnImage, "the camera sends no JPEG")
    }
    guard frame.bytes.count <= Self.largestUpload else {
      throw WebcamFailure(.tooLarge, "the picture has more than \(Self.largestUpload) bytes")
    }
    return frame
  }

  /// - Throws: `WebcamFailure` where the hub does not take it.
  private func bring(_ frame: WebcamFrame) async throws(WebcamFailure) {
    guard let url = address.image, !isInline else {
      if publicURL == nil || address.image != nil { desk.put(Self.inline(frame.bytes)) }
      return
    }
    let reply: HubClient.Reply
    do {
      reply = try await client.upload(picture: frame.bytes, to: url)
    } catch {
      throw WebcamFailure(.unreachable, "cancelled")
    }
    guard case .accepted(let object) = reply.answer,
      let told = object["image_url"]?.string, (1...2_048).contains(told.utf8.count)
    else {
      let problem =
        reply.answer.problem(host: "the hub") ?? "the hub names no address of the picture"
      // The second hub takes the bytes themselves where there is no place for them.
      if case .refused = reply.answer, address.generation == .v2 {
        isUploadRefused.withLock { $0 = true }
        context.log(
          .warning, "camera: image_url takes no pictures: \(problem); they go into the updates")
        if frame.bytes.count <= Self.largestInline { desk.put(Self.inline(frame.bytes)) }
        return
      }
      throw WebcamFailure(.unreachable, "the picture was not taken: \(problem)")
    }
    switch address.generation {
    case .v1: desk.put(told)
    case .v2:
      guard let absolute = URLParts.resolve(told, from: publicURL ?? url) else {
        throw WebcamFailure(.unreachable, "the hub names an address that cannot be read")
      }
      desk.put(absolute)
    }
  }

  private static func inline(_ bytes: [UInt8]) -> String {
    "data:image/jpeg;base64,\(Base64.encode(bytes))"
  }
}
