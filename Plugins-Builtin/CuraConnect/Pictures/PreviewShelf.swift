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
    /// Jobs whose pictures are being fetched.
    var fetched: Set<String> = []
  }
  /// So long a job without a picture is not looked at again.
  private static let patience = Duration.seconds(30)
  /// So long a request waits for a fetch; Cura asks again.
  private static let moment = Duration.milliseconds(200)
  /// What a fetch has yielded.
  private enum Find: Sendable { case picture([UInt8]), none, failure }
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

  /// The picture of a job, or the one that stands for none; nil where it is not known yet, as Moonraker takes its time or
  /// does not tell. One fetch of a job goes on at a time, whoever asks.
  func picture(of job: CuraJob) async -> [UInt8]? {
    guard let uuid = job.uuid else { return PlaceholderImage.bytes }
    guard state.withLock({ $0.fetched.insert(uuid).inserted }) else { return nil }
    return await desk.hub.work.result(within: Self.moment) { [self] in
      let find = await fetch(job)
      let now = desk.hub.context.time.now
      return state.withLock { state -> [UInt8]? in
        state.fetched.remove(uuid)
        switch find {
        case .picture(let bytes):
          state.pictures.removeAll { $0.uuid == uuid }
          state.pictures.append((uuid, bytes))
          if state.pictures.count > Self.mostKept { state.pictures.removeFirst() }
          state.missing[uuid] = nil
          return bytes
        case .none:
          state.missing = state.missing.filter { $0.value.duration(to: now) < Self.patience }
          state.missing[uuid] = now
          return PlaceholderImage.bytes
        // Cura would keep what stands for none for good.
        case .failure: return nil
        }
      }
    } ?? nil
  }

  private func fetch(_ job: CuraJob) async -> Find {
    guard let path = job.path,
      let request = MoonrakerRequest(
        parts: ["server", "files", "metadata"], method: .get, query: [("filename", path.text)])
    else { return .none }
    let outcome = await desk.submit(.query(request), wireName: "preview_image")
    guard outcome.status == .done || outcome.code == 404 || outcome.reason == .notPermitted else {
      return .failure
    }
    guard let relative = Self.thumbnail(in: outcome.details),
      let picture = GCodePath(path.folder.map { "\($0)/\(relative)" } ?? relative)
    else { return .none }
    let bytes: [UInt8]
    do throws(CommandFailure) {
      bytes = try await desk.hub.context.files.read(picture, upTo: Self.mostBytes)
    } catch {
      return error.code == 404 || error.reason == .notPermitted ? .none : .failure
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
