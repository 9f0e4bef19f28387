internal import ConnectorKit
internal import Imaging
internal import Networking
internal import Platform

/// Asks one address after the other until one yields a picture.
struct FrameFetcher: Sendable {
  /// The time for one address.
  static let patience: Duration = .seconds(5)
  private static let mostRedirects = 3

  /// What sends the requests.
  let transport: any HTTPTransport
  /// The clock.
  let time: any TimeSource

  /// What an address yielded.
  struct Picture: Sendable {
    /// The file.
    var bytes: [UInt8]
    /// What it is.
    var kind: ImageKind
    /// Which address it came from.
    var address: FrameAddress
  }

  /// The first picture that one of the addresses yields.
  ///
  /// - Throws: `WebcamFailure`: the one that says most of what the addresses answered.
  /// - Parameter patience: the time for one address.
  func fetch(
    _ addresses: [FrameAddress], patience: Duration = FrameFetcher.patience
  ) async throws(WebcamFailure) -> Picture {
    var telling: WebcamFailure?
    for address in addresses {
      do throws(WebcamFailure) {
        return try await picture(from: address, within: patience)
      } catch {
        if Task.isCancelled { throw error }
        if telling.map({ error.kind.weight > $0.kind.weight }) ?? true { telling = error }
      }
    }
    throw telling ?? WebcamFailure(.noCamera, "there is no address to ask")
  }

  private func picture(
    from address: FrameAddress, within patience: Duration
  ) async throws(WebcamFailure) -> Picture {
    let response = try await answer(of: address, within: patience)
    guard (200...299).contains(response.status) else {
      throw WebcamFailure(.unreachable, "\(address.display) answers with status \(response.status)")
    }
    let type = response[field: "Content-Type"]?.lowercased() ?? "image/"
    var bytes = response.body
    if address.isStream, type.hasPrefix("multipart/") {
      guard let frame = MJPEGStream.firstFrame(in: bytes) else {
        throw WebcamFailure(.notAnImage, "\(address.display) sends a stream without a JPEG in it")
      }
      bytes = frame
    } else if !type.hasPrefix("image/") {
      // A web page answers unknown paths with itself.
      let shown = String(type.unicodeScalars.prefix { $0 != ";" && $0.isASCII && $0.value > 31 })
      throw WebcamFailure(.notAnImage, "\(address.display) sends \(shown.prefix(40)), no picture")
    }
    guard bytes.count <= ImageLimits.bytes else { throw tooLarge(address) }
    guard let kind = ImageKind(sniffing: bytes) else {
      throw WebcamFailure(.notAnImage, "\(address.display) sends no JPEG, PNG or WebP")
    }
    return Picture(bytes: bytes, kind: kind, address: address)
  }

  private func tooLarge(_ address: FrameAddress) -> WebcamFailure {
    WebcamFailure(.tooLarge, "\(address.display) sends more than \(ImageLimits.bytes) bytes")
  }

  // MARK: The exchange

  private func answer(
    of address: FrameAddress, within patience: Duration
  ) async throws(WebcamFailure) -> HTTPResponse {
    let (transport, time) = (transport, time)
    let result = await withTaskGroup(
      of: Result<HTTPResponse, NetworkError>?.self,
      returning: Result<HTTPResponse, NetworkError>?.self
    ) { group in
      group.addTask { await Self.follow(address, transport, patience) }
      group.addTask {
        try? await time.sleep(for: patience)
        return nil
      }
      let first = await group.next()
      group.cancelAll()
      return first ?? nil
    }
    switch result {
    case .success(let response): return response
    case .failure(let error) where error.kind == .tooLarge: throw tooLarge(address)
    case .failure(let error) where error.kind != .timeout:
      throw WebcamFailure(.unreachable, "\(address.display): \(error.message)")
    case .failure, nil:
      throw WebcamFailure(
        .unreachable, "\(address.display) has not answered within \(patience.components.seconds) s")
    }
  }

  private static func follow(
    _ address: FrameAddress, _ transport: any HTTPTransport, _ patience: Duration
  ) async -> Result<HTTPResponse, NetworkError> {
    var address = address
    var redirects = 0
    do throws(NetworkError) {
      while true {
        let response = try await transport.send(request(for: address, patience))
        guard [301, 302, 303, 307, 308].contains(response.status), redirects < mostRedirects,
          let next = target(of: response, from: address.url)
        else { return .success(response) }
        redirects += 1
        address.url = next
      }
    } catch {
      return .failure(error)
    }
  }

  private static func request(
    for address: FrameAddress, _ patience: Duration
  ) -> HTTPRequest {
    var request = HTTPRequest(
      "GET", address.url, fields: [HTTPField("Accept", "image/jpeg,image/*;q=0.9,*/*;q=0.5")],
      timeout: patience, connectTimeout: patience, answerLimit: ImageLimits.bytes)
    if address.isStream { request.endsAnswer = MJPEGStream.isEnough }
    return request
  }

  /// Where a redirect leads; nil where it is not followed: to another host, or from TLS to none.
  private static func target(of response: HTTPResponse, from url: String) -> String? {
    guard let location = response[field: "Location"], let old = URLParts(url) else { return nil }
    let isPath = location.hasPrefix("/") && !location.hasPrefix("//")
    let next = isPath ? old.origin + location : location
    guard let new = URLParts(next), new.host == old.host, !new.hasCredentials,
      new.scheme == old.scheme || new.scheme == "https"
    else { return nil }
    return next
  }
}

extension WebcamFailure.Kind {
  /// How much it says when several addresses failed: one that answers wrongly is nearer than one that is not there.
  fileprivate var weight: Int {
    switch self {
    case .noCamera, .notPermitted: 0
    case .unreachable: 1
    case .notAnImage: 2
    case .tooLarge: 3
    }
  }
}
