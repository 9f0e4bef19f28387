internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// Sends requests to the database. The token stands in the URL, as the database wants it, and nowhere else.
struct FirebaseClient: Sendable {
  /// The most bytes of an answer, and of all that a stream brings before it is begun anew.
  static let answerLimit = 1 << 16
  /// So many bytes a stream may bring before it is begun anew.
  static let streamLimit = 1 << 20
  /// So long the first event of a stream may take: something on the way may hold events back.
  static let firstEventWithin = Duration.seconds(15)
  /// So long nothing may come on a stream; the database says every 30 s that it is there.
  static let silence = Duration.seconds(90)

  private static let stampNode = "live/webcamViewerTs"

  let rules: FirebaseRules
  let printerID: String
  private let http: any HTTPTransport
  private let time: any TimeSource
  private let userAgent: String

  /// A client for this printer's part of the database.
  init(
    _ rules: FirebaseRules, printerID: String, configuration: ReachConfiguration,
    context: BackendContext
  ) {
    self.rules = rules
    self.printerID = printerID
    http = context.http
    time = context.time
    userAgent = RelayClient.userAgent(configuration)
  }

  /// Tells the printer's status.
  ///
  /// - Throws: `CancellationError`; everything else is an answer.
  func patch(_ status: JSONObject) async throws(CancellationError) -> FirebaseAnswer {
    var request = request("PATCH", "status")
    request.body = JSONValue.object(status).serialized()
    return try await answer(request)
  }

  /// Asks for the viewer's stamp.
  ///
  /// - Throws: `CancellationError`; everything else is an answer.
  func stamp() async throws(CancellationError) -> FirebaseAnswer {
    try await answer(request("GET", Self.stampNode))
  }

  /// Listens to the viewer's stamp until the stream ends, whoever ends it.
  ///
  /// - Parameter feed: takes what comes.
  /// - Throws: `CancellationError`.
  func listen(into feed: ViewerFeed) async throws(CancellationError) -> StreamEnd {
    let request = streamRequest(feed)
    let end = await withTaskGroup(of: StreamEnd?.self, returning: StreamEnd?.self) { group in
      group.addTask { await stream(request, feed) }
      group.addTask { await watch(feed) }
      let first = await group.next()
      group.cancelAll()
      return first ?? nil
    }
    guard !Task.isCancelled, let end else { throw CancellationError() }
    return end
  }

  // MARK: Parts

  private func request(_ method: String, _ node: String) -> HTTPRequest {
    HTTPRequest(
      method, rules.address.url(node, of: printerID, auth: rules.token),
      fields: [.json, HTTPField("User-Agent", userAgent)], answerLimit: Self.answerLimit)
  }

  private func streamRequest(_ feed: ViewerFeed) -> HTTPRequest {
    var request = request("GET", Self.stampNode)
    request.fields.append(HTTPField("Accept", "text/event-stream"))
    request.answerLimit = Self.streamLimit
    request.stallTimeout = Self.silence
    request.takesPiece = { feed.take($0) }
    return request
  }

  private func answer(
    _ request: HTTPRequest
  ) async throws(CancellationError) -> FirebaseAnswer {
    do {
      return FirebaseAnswer(try await http.send(request), at: time.wallTime)
    } catch {
      if error.kind == .cancelled { throw CancellationError() }
      return .unreachable(error.kind, error.message)
    }
  }

  /// nil: cancelled.
  private func stream(_ request: HTTPRequest, _ feed: ViewerFeed) async -> StreamEnd? {
    do {
      let response = try await http.send(request)
      if let end = feed.end { return end }
      return response.isSuccess ? .closed : .refused(FirebaseAnswer(response, at: time.wallTime))
    } catch {
      switch error.kind {
      case .cancelled: return nil
      case .tooLarge: return .defective("more than \(Self.streamLimit) bytes")
      case .timeout where feed.lastHeard != nil: return .silent
      default: return .refused(.unreachable(error.kind, error.message))
      }
    }
  }

  /// Waits until nothing has come for too long, or nothing is wanted any more; nil: cancelled.
  private func watch(_ feed: ViewerFeed) async -> StreamEnd? {
    let start = time.now
    let waiter = feed.closing.waiter(time)
    while true {
      if let end = feed.end { return end }
      let deadline =
        feed.lastHeard?.advanced(by: Self.silence) ?? start.advanced(by: Self.firstEventWithin)
      guard time.now < deadline else { return .silent }
      do { try await waiter.wait(until: deadline) } catch { return nil }
    }
  }
}
