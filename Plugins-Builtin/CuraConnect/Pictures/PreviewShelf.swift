internal import ConnectorKit
internal import JSON
internal import Platform

/// The pictures of jobs: Moonraker's thumbnails, fetched once for each job that Cura asks about.
final class PreviewShelf: Sendable {
  /// The widest that is taken, in pixels.
  private static let widest: Int64 = 400
  /// The largest that is taken, in bytes.
  private static let mostBytes = 512 << 10
  /// The most that are kept.
  private static let mostKept = 4
  private struct State: Sendable {
    var pictures: [(uuid: String, bytes: [UInt8])] = []
    /// Jobs that have none, and when we looked.
    var missing: [String: MonotonicInstant] = [:]
    /// Jobs whose picture is on its way.
    var fetching: Set<String> = []
  }
  /// What is known of a job's picture.
  private enum Finding { case picture([UInt8]), none, unknown }
  /// So long a job without a picture is not looked at again.
  private static let patience = Duration.seconds(30)
  private let state = Guarded(State())
  private let desk: JobDesk

  /// A shelf without pictures.
  init(desk: JobDesk) { self.desk = desk }

  /// A picture that is here already; nil where it has to be fetched.
  func kept(_ uuid: String) -> [UInt8]? {
    let now = desk.hub.context.time.now
    return state.withLock { state in
      if let found = state.pictures.first(where: { $0.uuid == uuid }) { return found.bytes }
      if let looked = state.missing[uuid], looked.duration(to: now) < Self.patience {
        return PlaceholderImage.bytes
      }
      return nil
    }
  }

  /// The picture of a job, or the one that stands for none; nil where that is not known yet. One is fetched once at a time.
  func picture(of job: CuraJob) async -> [UInt8]? {
    guard let uuid = job.uuid else { return PlaceholderImage.bytes }
    guard state.withLock({ $0.fetching.insert(uuid).inserted }) else { return nil }
    defer { state.withLock { _ = $0.fetching.remove(uuid) } }
    let bytes: [UInt8]?
    switch await fetch(job) {
    case .picture(let picture): bytes = picture
    case .none: bytes = nil
    case .unknown: return nil
    }
    let now = desk.hub.context.time.now
    state.withLock { state in
      if let bytes {
        state.pictures.removeAll { $0.uuid == uuid }
        state.pictures.append((uuid, bytes))
        if state.pictures.count > Self.mostKept { state.pictures.removeFirst() }
        state.missing[uuid] = nil
      } else {
        state.missing = state.missing.filter { $0.value.duration(to: now) < Self.patience }
        state.missing[uuid] = now
      }
    }
    return bytes ?? PlaceholderImage.bytes
  }

  private func fetch(_ job: CuraJob) async -> Finding {
    guard let path = job.path,
      let request = MoonrakerRequest(
        parts: ["server", "files", "metadata"], method: .get, query: [("filename", path.text)])
    else { return .none }
    let outcome = await desk.submit(.query(request), wireName: "preview_image")
    guard outcome.status == .done || ![.notConnected, .timeout].contains(outcome.reason) else {
      return .unknown
    }
    guard let relative = Self.thumbnail(in: outcome.details),
      let picture = GCodePath(path.folder.map { "\($0)/\(relative)" } ?? relative)
    else { return .none }
    let bytes: [UInt8]
    do throws(CommandFailure) {
      bytes = try await desk.hub.context.files.read(picture, upTo: Self.mostBytes)
    } catch {
      return [.notConnected, .timeout].contains(error.reason) ? .unknown : .none
    }
    return bytes.count < Self.mostBytes && Self.type(of: bytes) != nil ? .picture(bytes) : .none
  }

  /// The largest thumbnail that is not too wide.
  private static func thumbnail(in metadata: JSONValue?) -> String? {
    let all = (metadata?["thumbnails"]?.array ?? []).prefix(16).compactMap { picture in
      picture["relative_path"]?.string.map { (picture["width"]?.integer ?? 0, $0) }
    }
    let fitting = all.filter { $0.0 <= widest }
    return (fitting.max { $0.0 < $1.0 } ?? all.min { $0.0 < $1.0 })?.1
  }

  /// The type of a picture by its first bytes; nil for what is neither PNG nor JPEG.
  static func type(of bytes: [UInt8]) -> String? {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return "image/png" }
    return bytes.starts(with: [0xFF, 0xD8, 0xFF]) ? "image/jpeg" : nil
  }
}
