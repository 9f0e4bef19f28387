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
  private let file: StateFile
  private let log: Log
  private let state: Guarded<State>

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

  /// Adds what a reload at `moment` allows. Blocks.
  func add(_ texts: [String], at moment: WallTime) {
    guard !texts.isEmpty else { return }
    change { state in
      for text in texts {
        state.lastNumber += 1
        state.notices.append(WideningNotice(number: state.lastNumber, at: moment, text: text))
      }
      state.notices.removeFirst(max(0, state.notices.count - Self.limit))
      return true
    }
  }

  /// Takes away those up to `number`. Blocks.
  ///
  /// - Returns: whether there were any.
  @discardableResult
  func seen(through number: Int64) -> Bool {
    change { state in
      let before = state.notices.count
      state.notices.removeAll { $0.number <= number }
      return state.notices.count < before
    }
  }

  @discardableResult
  private func change(_ body: (inout State) -> Bool) -> Bool {
    // The lock is held over the write: two changes reach the disk in their order.
    state.withLock { state in
      guard body(&state) else { return false }
      do {
        try file.write(Self.document(state))
      } catch {
        log(.warning, "\(error); after a restart the page does not know what was widened and seen")
      }
      return true
    }
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
