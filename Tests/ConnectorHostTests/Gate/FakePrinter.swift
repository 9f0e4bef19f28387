import ConnectorKit
import JSON
import Platform

@testable import ConnectorHost

/// A printer on paper: it keeps what it is sent, and answers when the test says so.
final class FakePrinter: CommandExecutor {
  struct Sent: Sendable {
    var command: PrinterCommand
    let answer = Promise<Result<JSONValue?, CommandFailure>>()
  }
  private struct State {
    var sent: [Sent] = []
    var answersAtOnce = true
    var queued: [String] = []
    var files: [GCodePath: FileState] = [:]
    var digests: [GCodePath: String] = [:]
    var uploads: [GCodePath] = []
    var links: Set<GCodePath> = []
    var heaters: Result<[String: Double], CommandFailure> = .failure(
      CommandFailure(.printerRefused, "no configuration"))
    var heaterQuestions = 0
    var answersHeaters = true
    var onSend: @Sendable (PrinterCommand) -> Void = { _ in }
  }
  private let state = Guarded(State())

  /// What it was sent, in order.
  var sent: [PrinterCommand] { state.withLock { $0.sent.map(\.command) } }
  /// What it has not answered yet, in order.
  var unanswered: [Sent] { state.withLock { $0.sent.filter { $0.answer.current == nil } } }
  /// What was uploaded to it.
  var uploads: [GCodePath] { state.withLock { $0.uploads } }

  /// Answers by itself, or waits for ``answer(_:)``.
  func answersAtOnce(_ isOn: Bool) { state.withLock { $0.answersAtOnce = isOn } }
  /// What it says of its heaters from now on; nil: nothing, not even no.
  func heaters(_ answer: Result<[String: Double], CommandFailure>?) {
    state.withLock { state in
      state.answersHeaters = answer != nil
      if let answer { state.heaters = answer }
    }
  }
  /// How often it was asked for them.
  var heaterQuestions: Int { state.withLock { $0.heaterQuestions } }
  /// Puts these into Moonraker's queue.
  func queue(_ paths: [String]) { state.withLock { $0.queued = paths } }
  /// Has a symbolic link that leads elsewhere lie there.
  func link(_ path: GCodePath) { _ = state.withLock { $0.links.insert(path) } }
  /// Puts a file there, or takes it away.
  func put(_ path: GCodePath, _ file: FileState?) { state.withLock { $0.files[path] = file } }

  /// Gives a file other bytes, and nothing else.
  func rewrite(_ path: GCodePath, sha256: String) { state.withLock { $0.digests[path] = sha256 } }

  /// The file that is there.
  func present(_ path: GCodePath) -> FileState? { state.withLock { $0.files[path] } }

  /// Is told of each command that arrives.
  func onSend(_ body: @escaping @Sendable (PrinterCommand) -> Void) {
    state.withLock { $0.onSend = body }
  }

  /// Answers the oldest unanswered command.
  func answer(_ result: Result<JSONValue?, CommandFailure> = .success(nil)) {
    unanswered.first?.answer.resolve(result)
  }

  func perform(_ command: PrinterCommand) async throws(CommandFailure) -> JSONValue? {
    let sent = Sent(command: command)
    state.withLock { $0.onSend }(command)
    let isQuick = state.withLock { state in
      state.sent.append(sent)
      if case .deleteFile(let path) = command { state.files[path] = nil }
      return state.answersAtOnce
    }
    if isQuick {
      await Task.yield()
      sent.answer.resolve(.success(nil))
    }
    guard let result = await sent.answer.value() else {
      sent.answer.resolve(.success(nil))
      throw CommandFailure(.timeout, "given up", mayHaveHappened: true)
    }
    return try result.get()
  }

  func upload(_ file: StagedFile, as path: GCodePath) async throws(CommandFailure) -> JSONValue {
    await Task.yield()
    state.withLock { state in
      state.uploads.append(path)
      // What is unpacked is larger than what was sent.
      let kept = path.kept ?? path
      state.digests[kept] = kept == path ? file.sha256 : "unpacked \(file.sha256)"
      state.files[kept] = FileState(
        size: kept == path ? file.size : file.size * 3, modified: 1_795_162_973.25)
    }
    return ["path": .string(path.text)]
  }

  func checkInside(_ path: GCodePath) async throws(CommandFailure) {
    if state.withLock({ $0.links.contains(path) }) {
      throw CommandFailure(.invalid, "a symbolic link")
    }
  }

  func queuedFiles() async throws(CommandFailure) -> [String] { state.withLock { $0.queued } }

  func fileState(_ path: GCodePath) async throws(CommandFailure) -> FileState? {
    state.withLock { $0.files[path] }
  }

  func sha256(of path: GCodePath) async throws(CommandFailure) -> String {
    state.withLock { $0.digests[path] ?? "" }
  }

  func heaterLimits() async throws(CommandFailure) -> [String: Double] {
    let (isAnswered, answer) = state.withLock { state in
      state.heaterQuestions += 1
      return (state.answersHeaters, state.heaters)
    }
    if !isAnswered { _ = await Promise<Void>().value() }
    return try answer.get()
  }
}
