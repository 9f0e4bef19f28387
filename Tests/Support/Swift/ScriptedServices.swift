package import ConnectorKit
internal import Cryptography
package import Networking
package import Platform

/// Transfers on paper: staged files are real, what goes over the network is the test's script.
package final class ScriptedTransfers: FileTransfers {
  /// What the far side answers to a sent file.
  package typealias Script =
    @Sendable (HTTPRequest, [UInt8]) throws(TransferFailure) -> HTTPResponse
  private struct State {
    var script: Script = { _, _ in HTTPResponse(status: 200) }
    var sent: [(request: HTTPRequest, bytes: [UInt8])] = []
    var downloads: [String: [UInt8]] = [:]
    var sinkFailure: TransferFailure?
    var openSinks = 0
  }
  private let folder: String
  private let state = Guarded(State())

  /// Transfers whose files lie in a temporary folder.
  package init() {
    folder = "/tmp/uplink-staging-\(UInt64.random(in: 0...UInt64.max))"
  }

  deinit { try? Files.remove(folder) }

  /// What was sent, in order.
  package var sent: [(request: HTTPRequest, bytes: [UInt8])] { state.withLock { $0.sent } }
  /// Answers by `script` from now on.
  package func answer(_ script: @escaping Script) { state.withLock { $0.script = script } }
  /// Has `bytes` lie at `url`.
  package func offer(_ bytes: [UInt8], at url: String) {
    state.withLock { $0.downloads[url] = bytes }
  }

  package func stage(
    expectedSize: Int64, _ write: @escaping @Sendable (inout StagedFileWriter) throws -> Void
  ) async throws(TransferFailure) -> StagedFile {
    let bytes = Guarded<[UInt8]>([])
    do {
      var writer = StagedFileWriter { more in bytes.withLock { $0 += more } }
      try write(&writer)
    } catch {
      throw error as? TransferFailure ?? TransferFailure(.disk, "\(error)")
    }
    return try stage(bytes.withLock { $0 })
  }

  package func begin(expectedSize: Int64) async throws(TransferFailure) -> any StagingSink {
    if let failure = state.withLock({ $0.sinkFailure }) { throw failure }
    return MemorySink(transfers: self)
  }

  /// Makes every upload from now on fail like this.
  package func refuseUploads(_ failure: TransferFailure?) {
    state.withLock { $0.sinkFailure = failure }
  }

  /// How many uploads have begun and neither ended nor been let go.
  package var openSinks: Int { state.withLock { $0.openSinks } }

  private final class MemorySink: StagingSink {
    private let transfers: ScriptedTransfers
    private let bytes = Guarded<[UInt8]>([])
    init(transfers: ScriptedTransfers) {
      self.transfers = transfers
      transfers.state.withLock { $0.openSinks += 1 }
    }
    deinit { transfers.state.withLock { $0.openSinks -= 1 } }
    func write(_ bytes: [UInt8]) async throws(TransferFailure) {
      if let failure = transfers.state.withLock({ $0.sinkFailure }) { throw failure }
      self.bytes.withLock { $0 += bytes }
    }
    func finish() async throws(TransferFailure) -> StagedFile {
      try transfers.stage(bytes.withLock { $0 })
    }
  }

  package func download(_ order: DownloadOrder) async throws(TransferFailure) -> StagedFile {
    guard let bytes = state.withLock({ $0.downloads[order.request.url] }) else {
      throw TransferFailure(.status, "404", status: 404)
    }
    guard bytes.count <= order.maximumSize else { throw TransferFailure(.tooLarge, "too large") }
    return try stage(bytes)
  }

  package func send(
    _ file: StagedFile, as request: HTTPRequest
  ) async throws(TransferFailure) -> HTTPResponse {
    guard let bytes = try? Files.read(file.path, limit: 64 << 20) else {
      throw TransferFailure(.disk, "unreadable")
    }
    let script = state.withLock { state in
      state.sent.append((request, bytes))
      return state.script
    }
    return try script(request, bytes)
  }

  private func stage(_ bytes: [UInt8]) throws(TransferFailure) -> StagedFile {
    let path = "\(folder)/\(UInt64.random(in: 0...UInt64.max))"
    do {
      try Files.makeFolder(folder)
      try Files.replace(path, with: bytes, mode: 0o600)
    } catch {
      throw TransferFailure(.disk, "\(error)")
    }
    return StagedFile(
      path: path, size: Int64(bytes.count), sha256: Digest.sha256Hex(bytes))
  }
}

/// A camera on paper.
package final class ScriptedWebcams: WebcamService {
  /// What a wish yields.
  package typealias Script = @Sendable (FrameWish) throws(WebcamFailure) -> WebcamFrame
  private let time: any TimeSource
  private let state: Guarded<(script: Script, wishes: [FrameWish])>
  private let list = Guarded<(answer: Result<Bool, WebcamFailure>, questions: Int)>(
    (.success(false), 0))

  /// A printer without a camera.
  package init(time: any TimeSource) {
    self.time = time
    state = Guarded(
      (
        { _ throws(WebcamFailure) in throw WebcamFailure(.noCamera, "no camera is set up") }, []
      ))
  }

  /// What was wished for, in order.
  package var wishes: [FrameWish] { state.withLock { $0.wishes } }
  /// Answers by `script` from now on.
  package func answer(_ script: @escaping Script) { state.withLock { $0.script = script } }
  /// What the list of cameras says from now on.
  package func list(_ answer: Result<Bool, WebcamFailure>) { list.withLock { $0.answer = answer } }
  /// How often the list was asked for.
  package var questions: Int { list.withLock { $0.questions } }

  package func hasCamera() async throws(WebcamFailure) -> Bool {
    try list.withLock { list in
      list.questions += 1
      return list.answer
    }.get()
  }

  package func frame(_ wish: FrameWish) async throws(WebcamFailure) -> WebcamFrame {
    let script = state.withLock { state in
      state.wishes.append(wish)
      return state.script
    }
    return try script(wish)
  }
}
