internal import ConnectorKit
internal import JSON
internal import Platform

/// A command as the hub words it, of either generation.
struct HubCommand: Sendable, Hashable {
  /// The hub's id of it.
  var id: String
  /// The name that results and the audit have: `home`, `gcode`.
  var action: String
  /// What it says: the parameters of the first hub, `type` and `command` of the second.
  var words: JSONObject
  /// Whether the words are the second hub's.
  var generation: Generation
  /// How old it was when it came; nil: the hub does not say.
  var age: Duration?
  /// When it came, seconds since 1970.
  var receivedAt: Int64

  /// What is longer is no command: the G-code of one may have 4,096 bytes, and all that wait lie in one small file.
  static let mostBytes = 32 << 10

  /// Why an element is no command that could be answered.
  struct Defect: Error, Sendable, Hashable {
    var problem: String
  }

  /// Reads one element of the hub's list.
  ///
  /// - Parameter clock: the hub's own time, for the age; ours where the hub does not tell it.
  /// - Throws: `Defect` where it cannot even be answered.
  init(
    _ element: JSONValue, _ generation: Generation, clock: WallTime, receivedAt now: WallTime
  ) throws(Defect) {
    guard let words = element.object else { throw Defect(problem: "it is no object") }
    guard element.serialized().count <= Self.mostBytes else {
      throw Defect(problem: "it is longer than \(Self.mostBytes) bytes")
    }
    guard let id = HubNumber.id(words["id"]) else {
      throw Defect(problem: "it has no id that can be used")
    }
    self.id = id
    self.generation = generation
    self.words = words
    self.words["token"] = nil
    receivedAt = now.millisecondsSinceEpoch / 1_000
    switch generation {
    case .v1:
      action = words["action"]?.string ?? ""
      age = HubNumber.double(words["timestamp"]).flatMap { stamp in
        // A queue's 0 is older than everything; what is no time at all says nothing.
        guard abs(stamp) < 1e11 else { return nil }
        return .milliseconds(clock.millisecondsSinceEpoch - Int64(max(0, stamp) * 1_000))
      }
    case .v2:
      let type = words["type"]?.string?.lowercased() ?? ""
      let text = (words["command"]?.string ?? "").trimmed
      action = type == "basic" ? String(text.prefix { $0 != ":" }).lowercased() : type
      age = nil
    }
    action = action.lowercased().printable(64)
  }

  /// What tells whether it has come before: its id with what it says, because a hub whose database was made anew counts
  /// from 1 again.
  var key: String { "\(id) \(JSONValue.object(words).serialized().fingerprint)" }

  // MARK: On the disk

  /// As it lies on the disk until its turn comes.
  var stored: JSONValue {
    var stored: JSONObject = [
      "id": .string(id), "action": .string(action), "words": .object(words),
      "generation": .string(generation.rawValue), "received_at": .integer(receivedAt),
    ]
    stored["age_ms"] = age.map { .integer(Int64(clamping: $0.components.seconds) * 1_000) }
    return .object(stored)
  }

  init?(stored: JSONValue) {
    guard let id = HubNumber.id(stored["id"]), let action = stored["action"]?.string,
      let words = stored["words"]?.object,
      let generation = stored["generation"]?.string.flatMap(Generation.init),
      let receivedAt = stored["received_at"]?.integer, (0...1 << 40).contains(receivedAt)
    else { return nil }
    self.id = id
    self.action = action
    self.words = words
    self.generation = generation
    self.receivedAt = receivedAt
    age = stored["age_ms"]?.integer.map { .milliseconds(min(max($0, -1 << 50), 1 << 50)) }
  }
}

extension Sequence<UInt8> {
  /// A short text that is the same in every run for the same bytes (FNV-1a).
  var fingerprint: String {
    let number = reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    return String(number, radix: 36)
  }
}

extension String {
  /// The text without blanks at its ends.
  var trimmed: String {
    var scalars = unicodeScalars[...]
    func isBlank(_ scalar: Unicode.Scalar) -> Bool {
      scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
    }
    while let first = scalars.first, isBlank(first) { scalars.removeFirst() }
    while let last = scalars.last, isBlank(last) { scalars.removeLast() }
    return String(scalars)
  }
}
