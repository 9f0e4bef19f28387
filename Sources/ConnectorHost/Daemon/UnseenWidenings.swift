internal import ConnectorKit
internal import JSON
internal import Platform

/// What reloads have widened and nobody has seen yet, in `widenings.json`.
///
/// The disk only keeps it over a restart: where it cannot be written, the page shows it all the same, and the audit and
/// the log have it.
final class UnseenWidenings: Sendable {
  private struct State {
    var notices: [WideningNotice] = []
    var lastNumber: Int64 = 0
  }
  /// Older ones are left to the audit beyond this many.
  static let limit = 50
  private static let patience = Duration.seconds(1)
  private static let consequence =
    "after a restart the page may lack what was widened, or show again what was seen"
  private let file: StateFile
  private let log: Log
  private let state: Guarded<State>
  private let writing = Guarded(())

  /// Reads what the last run left. Blocks.
  init(directory: StateDirectory, log: Log) {
    file = StateFile(directory: directory, name: "widenings.json")
    self.log = log
    do {
      state = Guarded(Self.state(try file.read() ?? [:]))
    } catch {
      state = Guarded(State())
      log(.warning, "\(error); what was widened before is found in the audit only")
    }
  }

  /// Oldest first.
  var notices: [WideningNotice] { state.withLock { $0.notices } }

  /// Adds what a reload at `moment` allows.
  func add(_ texts: [String], at moment: WallTime) {
    state.withLock { state in
      for text in texts {
        state.lastNumber += 1
        state.notices.append(WideningNotice(number: state.lastNumber, at: moment, text: text))
      }
      state.notices.removeFirst(max(0, state.notices.count - Self.limit))
    }
  }

  /// Takes away those up to `number`.
  ///
  /// - Returns: whether there were any.
  func seen(through number: Int64) -> Bool {
    state.withLock { state in
      let before = state.notices.count
      state.notices.removeAll { $0.number <= number }
      return state.notices.count < before
    }
  }

  /// Writes down how it stands, for at most ``patience``: who reloads or looks does not wait for a disk that hangs.
  ///
  /// - Returns: whether it is on the disk.
  func save(_ time: any TimeSource) async -> Bool {
    let result = await bounded(by: Self.patience, time: time) { [self] in
      try await offload { [self] in
        // The newest of all is written, whoever comes last; nobody who only looks takes this lock.
        try writing.withLock { _ in try file.write(Self.document(state.withLock { $0 })) }
      }
    }
    switch result {
    case .success?: return true
    case .failure(let error)?: log(.warning, "\(error); \(Self.consequence)")
    case nil: log(.warning, "\(file.name) is not written yet; \(Self.consequence)")
    }
    return false
  }

  private static func state(_ document: JSONObject) -> State {
    var state = State()
    for entry in document["widenings"]?.array ?? [] {
      guard let number = entry["number"]?.integer, number < Int64.max / 2,
        let at = entry["at"]?.string.flatMap(WallTime.init(rfc3339:)),
        let text = entry["text"]?.string
      else { continue }
      state.notices.append(WideningNotice(number: number, at: at, text: text))
    }
    let highest = state.notices.map(\.number).max() ?? 0
    let last = document["last_number"]?.integer ?? 0
    state.lastNumber = max(highest, (0..<Int64.max / 2).contains(last) ? last : 0)
    return state
  }

  private static func document(_ state: State) -> JSONObject {
    [
      "last_number": .integer(state.lastNumber),
      "widenings": .array(
        state.notices.map {
          [
            "number": .integer($0.number), "at": .string($0.at.rfc3339Milliseconds),
            "text": .string($0.text),
          ]
        }),
    ]
  }
}
