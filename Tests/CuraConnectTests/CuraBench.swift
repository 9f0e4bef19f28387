import ConnectorKit
import HTTPServer
import JSON
import Platform
import TestSupport
import Testing

@testable import CuraConnect

/// A Cura in front of a connector on a bench: real HTTP on loopback, everything behind it on paper.
final class CuraBench: Sendable {
  let bench = TestBench { _, _ in .json(404, "{}") }
  let backend: CuraConnectBackend
  /// Moonraker's job queue, as far as the paper goes.
  private let queue = Guarded<(jobs: [(id: String, path: String)], last: Int)>(([], 0))
  /// What starts are answered with.
  let start = Guarded<CommandOutcome>(.done())
  /// Files that are there already.
  let names = Guarded<[String]>([])
  /// What a look into the folder for uploads is answered with instead.
  let folder = Guarded<CommandOutcome?>(nil)
  /// Whether Moonraker tells what its queue holds.
  let tellsQueue = Guarded(true)
  /// What happens when a start arrives.
  let onStart = Guarded<@Sendable () -> Void>({})

  init(_ values: [String: SettingValue] = [:]) async throws {
    backend = try await CuraConnectBackend(
      settings: .written(values), context: bench.context("cura"))
    bench.gateway.answer { [self] request in answer(request) }
  }

  /// Runs the connector while `body` plays Cura.
  func run(_ body: () async throws -> Void) async throws {
    try await bench.run(backend) {
      await until { bench.listener.port(for: 8_008) != nil }
      try await body()
    }
  }

  /// The commands that were submitted, without looks.
  var commands: [PrinterCommand] {
    bench.gateway.submitted.map(\.command).filter { !$0.kind.isRead }
  }
  /// The paths in the queue.
  var queued: [String] { queue.withLock { $0.jobs.map(\.path) } }
  /// Puts a file into the queue, as the owner does in Mainsail.
  func enqueue(_ path: String) {
    queue.withLock { queue in
      queue.last += 1
      queue.jobs.append(("\(queue.last)", path))
    }
    bench.printer.update { $0.queueRevision += 1 }
  }

  /// Lays the queue anew in this order, as Mainsail does: all of it gets new ids.
  func relay(_ order: [String]) {
    queue.withLock { queue in
      queue.jobs = order.map { path in
        queue.last += 1
        return ("\(queue.last)", path)
      }
    }
    bench.printer.update { $0.queueRevision += 1 }
  }
  /// Takes a file out of the queue, as the owner does in Mainsail; nobody is told.
  func dequeue(_ path: String) { queue.withLock { $0.jobs.removeAll { $0.path == path } } }

  private func answer(_ request: CommandRequest) -> CommandOutcome {
    switch request.command {
    case .start:
      let happens = onStart.withLock { $0 }
      happens()
      return start.withLock { $0 }
    case .query(let query) where query.path == "server.job_queue.status":
      return tellsQueue.withLock { $0 }
        ? .done(status) : CommandOutcome(.failed, .timeout, "no answer")
    case .query(let query) where query.path == "server.files.directory":
      if let outcome = folder.withLock({ $0 }) { return outcome }
      let files = names.withLock { $0 }.map { ["filename": .string($0)] as JSONValue }
      return .done(["files": .array(files)])
    case .query: return .done(["estimated_time": 120.5])
    case .history:
      let job: JSONValue = [
        "filename": "cube.gcode", "status": "in_progress", "job_id": "00001F",
      ]
      return .done(["jobs": [job]])
    case .queue(let change):
      apply(change)
      return .done(status)
    default: return .done()
    }
  }

  private func apply(_ change: PrinterCommand.QueueChange) {
    queue.withLock { queue in
      switch change {
      case .add(let paths, let isReset):
        if isReset { queue.jobs = [] }
        for path in paths {
          queue.last += 1
          queue.jobs.append(("\(queue.last)", path.text))
        }
      case .remove(let ids): queue.jobs.removeAll { ids.contains($0.id) }
      case .first(let id):
        if let place = queue.jobs.firstIndex(where: { $0.id == id }) {
          queue.jobs.insert(queue.jobs.remove(at: place), at: 0)
        }
      case .clear: queue.jobs = []
      case .pause: break
      }
    }
  }

  private var status: JSONValue {
    let jobs = queue.withLock { $0.jobs }
    return [
      "queue_state": "ready",
      "queued_jobs": .array(
        jobs.map { job in
          [
            "filename": .string(job.path), "job_id": .string(job.id),
            "time_added": .double(Double(job.id) ?? 0), "time_in_queue": 1,
          ]
        }),
    ]
  }

  // MARK: Cura

  /// Sends a request on a connection of its own.
  func send(
    _ method: String, _ path: String, fields: String = "", body: [UInt8] = []
  ) async throws -> RawAnswer {
    let port = try #require(bench.listener.port(for: 8_008))
    let client = RawClient(port: port)
    let head =
      "\(method) \(path) HTTP/1.1\r\nHost: 192.168.1.20\r\n\(fields)Content-Length: \(body.count)\r\n\r\n"
    _ = try await offload {
      client.send(head)
      client.send(body)
    }
    return try #require(await client.laterAnswer())
  }

  /// Sends JSON.
  func send(_ method: String, _ path: String, json: String) async throws -> RawAnswer {
    try await send(
      method, path, fields: "Content-Type: application/json\r\n", body: Array(json.utf8))
  }

  /// Uploads a file as Cura does.
  func upload(_ name: String, _ bytes: [UInt8], fields: String = "") async throws -> RawAnswer {
    try await send(
      "POST", "/cluster-api/v1/print_jobs/",
      fields: "Content-Type: multipart/form-data; boundary=\"b+/=1\"\r\n\(fields)",
      body: Self.form(name, bytes))
  }

  static func form(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
    Array("--b+/=1\r\ncontent-disposition: form-data; name=owner\r\n\r\nalice\r\n".utf8)
      + Array(
        "--b+/=1\r\ncontent-disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n\r\n"
          .utf8) + bytes + Array("\r\n--b+/=1--\r\n".utf8)
  }

  /// The list of jobs.
  func jobs() async throws -> [JSONValue] {
    let answer = try await send("GET", "/cluster-api/v1/print_jobs")
    return try #require(try JSONValue(parsing: answer.body).array)
  }
  /// The states of the jobs.
  func words() async throws -> [String] { try await jobs().compactMap { $0["status"]?.string } }

  /// Waits until the list of jobs says this.
  func settle(_ expected: [String]) async throws {
    for _ in 0..<500 {
      if try await words() == expected { return }
      try await offload { _ = 0 }
    }
    #expect(try await words() == expected)
  }
}
