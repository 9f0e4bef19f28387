internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

// Stand in until the daemon hands out the real ones.

struct AbsentGateway: CommandGateway {
  let name: String
  let time: any TimeSource
  func contact() -> CommandContact { CommandContact(backend: name, at: time.now, previous: nil) }
  func submit(
    _ request: CommandRequest, in contact: CommandContact, work: CommandWork?,
    owing: @escaping @Sendable (CommandOutcome) -> OwedItem?
  ) async -> CommandOutcome { CommandOutcome(.refused, .journal, "no gate") }
}

struct AbsentOutbox: Outbox {
  let time: any TimeSource
  func put(_ item: OwedItem) async {}
  func oldest() async throws -> OutboxEntry {
    while true { try await time.sleep(for: .seconds(3_600)) }
  }
  func peek() async -> OutboxEntry? { nil }
  func settle(_ entry: OutboxEntry, _ verdict: OutboxVerdict) async {}
}

struct AbsentTransfers: FileTransfers {
  func stage(
    expectedSize: Int64, _ write: @escaping @Sendable (inout StagedFileWriter) throws -> Void
  ) async throws(TransferFailure) -> StagedFile { throw TransferFailure(.disk, "absent") }
  func download(_ order: DownloadOrder) async throws(TransferFailure) -> StagedFile {
    throw TransferFailure(.disk, "absent")
  }
  func send(
    _ file: StagedFile, as request: HTTPRequest
  ) async throws(TransferFailure) -> HTTPResponse { throw TransferFailure(.disk, "absent") }
}

struct AbsentWebcams: WebcamService {
  func frame(_ wish: FrameWish) async throws(WebcamFailure) -> WebcamFrame {
    throw WebcamFailure(.noCamera, "absent")
  }
}
