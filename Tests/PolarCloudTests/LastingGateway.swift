import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport

/// A gate that goes on with what it was given when its caller is gone, as the host's does.
final class LastingGateway: CommandGateway {
  private let inner: ScriptedGateway
  private let executor: IdleExecutor
  private let outcomes = Guarded<[String: CommandOutcome]>([:])

  init(_ bench: TestBench) { (inner, executor) = (bench.gateway, bench.executor) }

  /// How what was submitted has ended, by id.
  var ended: [String: CommandOutcome] { outcomes.withLock { $0 } }

  func contact(continuing former: CommandContact?) -> CommandContact {
    inner.contact(continuing: former)
  }
  func noteRefusal(id: String, wireName: String, _ refusal: CommandFailure) {
    inner.noteRefusal(id: id, wireName: wireName, refusal)
  }
  func ownFiles() async -> [BroughtFile]? { await inner.ownFiles() }
  func isUnchanged(_ path: GCodePath) async -> Bool { await inner.isUnchanged(path) }

  func submit(
    _ request: CommandRequest, in contact: CommandContact, work: CommandWork?,
    owing: @escaping @Sendable (CommandOutcome) -> OwedItem?
  ) async -> CommandOutcome {
    let end = Gate()
    Task(executorPreference: executor) { [self] in
      let outcome = await inner.submit(request, in: contact, work: work, owing: owing)
      outcomes.withLock { $0[request.id] = outcome }
      end.open()
    }
    await withTaskCancellationHandler {
      await end.wait()
    } onCancel: {
      end.open()
    }
    return ended[request.id] ?? .interrupted
  }
}

/// Downloads that wait for a gate.
final class SlowTransfers: FileTransfers {
  private let inner: ScriptedTransfers
  private let begun = Counter()
  /// Lets the bytes come.
  let gate = Gate()

  init(_ bench: TestBench) { inner = bench.transfers }

  /// How many have begun.
  var count: Int { begun.value }

  func stage(
    expectedSize: Int64, _ write: @escaping @Sendable (inout StagedFileWriter) throws -> Void
  ) async throws(TransferFailure) -> StagedFile {
    try await inner.stage(expectedSize: expectedSize, write)
  }
  func download(_ order: DownloadOrder) async throws(TransferFailure) -> StagedFile {
    begun.increment()
    await gate.wait()
    return try await inner.download(order)
  }
  func send(
    _ file: StagedFile, as request: HTTPRequest
  ) async throws(TransferFailure) -> HTTPResponse { try await inner.send(file, as: request) }
}

/// A disk that takes its time.
final class SlowIdentity: IdentityStore {
  private let inner: MemoryIdentityStore
  private let gate = Guarded<Gate?>(nil)

  init(_ bench: TestBench) { inner = bench.identity }

  /// From now on nothing gets to the disk before this is open.
  func hold(_ new: Gate) { gate.withLock { $0 = new } }

  func load() async throws -> JSONObject? { try await inner.load() }
  func save(_ identity: JSONObject) async throws {
    await gate.withLock { $0 }?.wait()
    try await inner.save(identity)
  }
  func remove() async throws { try await inner.remove() }
}
