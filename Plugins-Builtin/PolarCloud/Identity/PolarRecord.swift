internal import ConnectorKit
internal import JSON
internal import Platform

/// What this printer keeps about itself and the Polar Cloud: the entry's identity file.
struct PolarRecord: Sendable, Hashable {
  /// Why nothing is tried until a person acts.
  struct Block: Sendable, Hashable {
    var problem: String
    var remedy: String
    /// SHA-256 of the e-mail, PIN, address and manufacturer that it is about: others are tried.
    var credentials: String
  }
  /// The most recent jobs whose end has been reported.
  static let mostReported = 50

  /// The private key, PKCS#8 in PEM.
  var key: Secret?
  /// This printer's address for ever: `AA:BB:CC:DD:EE:FF`.
  var mac: String?
  /// The cloud's number for this printer; nil: not registered.
  var serialNumber: String?
  /// The account's e-mail at the time of registration.
  var registeredAs: String?
  var block: Block?
  /// The cloud job that is on.
  var job: CloudJob?
  /// The ids of jobs whose end has been reported, oldest first.
  var reported: [String] = []
  /// What went wrong last; nil where nothing does.
  var lastError: String?
  var lastErrorAt: WallTime?
  var entered = EnteredValues()

  /// Nothing yet.
  init() {}

  /// Reads what ``json`` wrote; what is not understood is left out.
  init(_ json: JSONObject) {
    key = json["private_key"]?.string.map { Secret($0) }
    mac = json["mac"]?.string
    serialNumber = json["serial_number"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    registeredAs = json["registered_as"]?.string
    if let block = json["blocked"]?.object, let problem = block["problem"]?.string {
      self.block = Block(
        problem: problem, remedy: block["remedy"]?.string ?? "",
        credentials: block["credentials_sha256"]?.string ?? "")
    }
    job = json["job"]?.object.flatMap { CloudJob($0) }
    reported = (json["reported_jobs"]?.array ?? []).compactMap(\.string).suffix(Self.mostReported)
    lastError = json["last_error"]?.string
    lastErrorAt = json["last_error_ms"]?.integer.map { WallTime(millisecondsSinceEpoch: $0) }
    entered = EnteredValues(json["entered"]?.object ?? JSONObject())
  }

  /// The form in which it is stored.
  var json: JSONObject {
    var json = JSONObject()
    json["private_key"] = key.map { .string($0.revealed) }
    json["mac"] = mac.map(JSONValue.string)
    json["serial_number"] = serialNumber.map(JSONValue.string)
    json["registered_as"] = registeredAs.map(JSONValue.string)
    json["blocked"] = block.map {
      [
        "problem": .string($0.problem), "remedy": .string($0.remedy),
        "credentials_sha256": .string($0.credentials),
      ]
    }
    json["job"] = job.map { .object($0.json) }
    if !reported.isEmpty { json["reported_jobs"] = .array(reported.map(JSONValue.string)) }
    json["last_error"] = lastError.map(JSONValue.string)
    json["last_error_ms"] = lastErrorAt.map { .integer($0.millisecondsSinceEpoch) }
    let entered = entered.json
    if !entered.isEmpty { json["entered"] = .object(entered) }
    return json
  }
}
