internal import ConnectorKit
internal import JSON

// How outcomes and owed items lie in the store: as JSON.

extension JSONLimits {
  /// What the store has written can be read again, however deep it is.
  static let store = JSONLimits(depth: JSONLimits.deepest)
}

extension CommandOutcome {
  /// The stored form; details that are larger than `limit` bytes are left out.
  func stored(detailsLimit limit: Int) -> [UInt8] {
    var object: JSONObject = [
      "status": .string(status.rawValue), "reason": .string(reason.rawValue),
      "message": .string(message),
    ]
    object["code"] = code.map { .integer($0) }
    let bare = JSONValue.object(object).serialized()
    guard let details else { return bare }
    object["details"] = details
    let whole = JSONValue.object(object).serialized()
    return whole.count <= bare.count + limit ? whole : bare
  }

  /// What was stored. Words that this version does not know stand for an outcome that nobody knows.
  init(stored bytes: [UInt8]) {
    let value = try? JSONValue(parsing: bytes, limits: .store)
    self.init(
      value?["status"]?.string.flatMap(Status.init) ?? .unknown,
      value?["reason"]?.string.flatMap(Reason.init) ?? .interrupted,
      value?["message"]?.string ?? "", details: value?["details"],
      code: value?["code"]?.integer.flatMap { Int(exactly: $0) })
  }
}

extension OwedItem {
  /// The stored form of an item that is not in the outbox yet.
  var stored: [UInt8] {
    JSONValue.object([
      "key": .string(key), "kind": .string(kind), "body": .object(body),
      "expendable": .bool(isExpendable),
    ]).serialized()
  }

  /// What was stored; nil where it is no item.
  init?(stored bytes: [UInt8]) {
    guard let value = try? JSONValue(parsing: bytes, limits: .store),
      let key = value["key"]?.string, let kind = value["kind"]?.string,
      let body = value["body"]?.object
    else { return nil }
    self.init(key: key, kind: kind, body: body, isExpendable: value["expendable"]?.bool ?? false)
  }
}
