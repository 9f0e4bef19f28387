import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PrintDock

/// A PrintDock on paper: hands out what a test gives it, once, and keeps what it is told.
final class PaperCloud: Sendable {
  private struct State {
    var commands: [String] = []
    var pictures: [String] = []
    var completionAnswers: [HTTPResponse] = []
    var statuses: [String: Int] = [:]
    var lists = 0
  }
  private let state = Guarded(State())

  /// Hands out these commands with the next poll.
  func hand(_ commands: String...) {
    state.withLock { $0.commands.append("[\(commands.joined(separator: ","))]") }
  }
  /// Answers polls for pictures with this list from now on.
  func wantPictures(_ requests: String...) { state.withLock { $0.pictures = requests } }
  /// Answers the next completions so.
  func answerCompletions(_ answers: HTTPResponse...) {
    state.withLock { $0.completionAnswers += answers }
  }
  /// Answers calls of this kind with this status from now on; nil: as usual.
  func answer(_ kind: String, _ status: Int?) { state.withLock { $0.statuses[kind] = status } }

  /// The script of a bench.
  var script: ScriptedTransport.Script {
    { [self] request, _ throws(NetworkError) in
      state.withLock { state in
        let kind = request.cloudCall
        if let status = state.statuses[kind] { return .json(status, #"{"error":"No"}"#) }
        switch kind {
        case "commands":
          return .json(200, state.commands.isEmpty ? "[]" : state.commands.removeFirst())
        case "webcam_requests":
          return .json(200, "[\(state.pictures.joined(separator: ","))]")
        case "complete":
          return state.completionAnswers.isEmpty
            ? .json(200, "{}") : state.completionAnswers.removeFirst()
        case "upload":
          let id = request.path.split(separator: "/").dropLast().last.map(String.init) ?? ""
          state.pictures.removeAll { $0.contains("\"id\":\(id),") }
          return .json(200, "{}")
        default: return .json(200, #"{"inserted":1}"#)
        }
      }
    }
  }

  /// A command for the printer of these tests.
  static func command(_ id: Int, _ action: String, _ params: String = "{}") -> String {
    #"{"id":\#(id),"printer_id":262,"action":"\#(action)","params":\#(params)}"#
  }
}

extension HTTPRequest {
  /// The last word of the path: heartbeat, commands, complete, batch, webcam_requests, upload.
  var cloudCall: String { path.split(separator: "/").last.map(String.init) ?? "" }
}

extension TestBench {
  static let paired: JSONObject = [
    "connector_id": "46", "connector_secret": "c_dummy_secret", "printer_id": 262,
  ]

  /// A bench in front of `cloud`, paired, with a printer that stands by.
  convenience init(_ cloud: PaperCloud) {
    self.init(identity: Self.paired, cloud.script)
    printer.come()
  }

  /// The requests of one kind, in order.
  func calls(_ kind: String) -> [HTTPRequest] {
    transport.requests.filter { $0.cloudCall == kind }
  }

  /// What PrintDock was told of the ends of commands, in order.
  var completions: [JSONValue] { calls("complete").map(\.json) }

  /// Runs the connector while `body` plays with it.
  func serve(
    _ extra: [String: SettingValue] = [:], sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
  ) async throws {
    let settings = PrintDockFixture.settings(extra: extra)
    try await run(
      PrintDockBackend(settings: settings, context: context("printdock")),
      sourceLocation: sourceLocation, body)
  }

  /// Moves the clock from deadline to deadline until `condition` holds.
  func pass(
    sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool
  ) async {
    for _ in 0..<5_000 {
      await executor.idle()
      // A thread for blocking work may be at it.
      for _ in 0..<100 {
        if condition() { return }
        await Task.yield()
      }
      if let next = time.deadlines.first { time.advance(to: next) }
    }
    Issue.record("what was waited for never came", sourceLocation: sourceLocation)
  }

  /// Moves the clock from deadline to deadline for so long.
  func pass(_ duration: Duration) async {
    let end = time.now.advanced(by: duration)
    while true {
      await executor.idle()
      guard let next = time.deadlines.first, next <= end else { break }
      time.advance(to: next)
    }
    time.advance(to: end)
    await executor.idle()
  }
}
