internal import JSON

/// What a server of Engine.IO says first: how often it pings, and how much it takes.
package struct EngineIOHandshake: Sendable, Hashable {
  /// How often the server pings; 0.1 s … 300 s.
  package var pingInterval = Duration.seconds(25)
  /// How long a ping may take; 0.1 s … 300 s.
  package var pingTimeout = Duration.seconds(20)
  /// The largest packet that the server takes, in bytes.
  package var maxPayload = 1_000_000

  /// The values that count where a server names none.
  package init() {}

  /// Reads the payload of an open packet; nil where it is no JSON object.
  ///
  /// What is missing, or makes no sense, has its usual value. Numbers may be strings.
  package init?(_ payload: [UInt8]) {
    let limits = JSONLimits(bytes: 65_536, depth: 16)
    guard case .object(let members)? = try? JSONValue(parsing: payload, limits: limits) else {
      return nil
    }
    if let interval = Self.duration(members["pingInterval"]) { pingInterval = interval }
    if let timeout = Self.duration(members["pingTimeout"]) { pingTimeout = timeout }
    // Any size that is told is kept to, but for what would let nothing through.
    if let bytes = members["maxPayload"]?.wholeNumber, bytes > 0 {
      maxPayload = Int(clamping: bytes)
    }
  }

  /// A number of milliseconds, within what a living connection needs: a server that names years would never be missed.
  private static func duration(_ value: JSONValue?) -> Duration? {
    guard let milliseconds = value?.wholeNumber, milliseconds > 0 else { return nil }
    return .milliseconds(min(max(milliseconds, 100), 300_000))
  }
}

extension JSONValue {
  /// The whole number that this is, or is the spelling of.
  fileprivate var wholeNumber: Int64? { integer ?? string.flatMap { Int64($0) } }
}
