internal import JSON

extension Trust {
  /// As it is kept. Keys are only ever added.
  var document: JSONObject {
    var document: JSONObject = [
      "host": .object(Self.object(host)), "require_clear_bed": .bool(requiresClearBed),
      "pin_permissions": .bool(pinsPermissions),
      "entries": .array(entries.map { .object($0.document) }),
    ]
    if let grants { document["grants"] = .array(grants.sorted().map(JSONValue.string)) }
    return document
  }

  /// What was kept; nil where that is no such document.
  init?(_ document: JSONObject) {
    guard let host = document["host"]?.object, let entries = document["entries"]?.array,
      let requiresClearBed = document["require_clear_bed"]?.bool,
      let pinsPermissions = document["pin_permissions"]?.bool
    else { return nil }
    self.host = Self.values(host)
    self.requiresClearBed = requiresClearBed
    self.pinsPermissions = pinsPermissions
    grants = (document["grants"]?.array?.compactMap(\.string)).map(Set.init)
    self.entries = []
    for entry in entries {
      guard let read = entry.object.flatMap(Entry.init) else { return nil }
      self.entries.append(read)
    }
  }

  fileprivate static func object(_ values: [String: Value]) -> JSONObject {
    var object = JSONObject()
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      object[key] = ["shown": .string(value.shown), "digest": .string(value.digest)]
    }
    return object
  }

  fileprivate static func values(_ object: JSONObject) -> [String: Value] {
    var values: [String: Value] = [:]
    for (key, value) in object {
      guard let shown = value["shown"]?.string, let digest = value["digest"]?.string else {
        continue
      }
      values[key] = Value(shown: shown, digest: digest)
    }
    return values
  }
}

extension Trust.Entry {
  fileprivate var document: JSONObject {
    [
      "name": .string(name), "type": .string(type), "enabled": .bool(isEnabled),
      "permissions": .array(permissions.sorted().map(JSONValue.string)),
      "permissions_text": .string(permissionsText), "insecure": .bool(isInsecure),
      "macros": .array(macros.map(JSONValue.string)),
      "patterns": .array(patterns.map(JSONValue.string)),
      "command_age_ms": .integer(commandAge), "settings": .object(Trust.object(settings)),
    ]
  }

  fileprivate init?(_ document: JSONObject) {
    func list(_ key: String) -> [String]? { document[key]?.array?.compactMap(\.string) }
    guard let name = document["name"]?.string, let type = document["type"]?.string,
      let isEnabled = document["enabled"]?.bool, let permissions = list("permissions"),
      let text = document["permissions_text"]?.string,
      let isInsecure = document["insecure"]?.bool, let macros = list("macros"),
      let patterns = list("patterns"), let age = document["command_age_ms"]?.integer,
      let settings = document["settings"]?.object
    else { return nil }
    self.init(
      name: name, type: type, isEnabled: isEnabled, permissions: Set(permissions),
      permissionsText: text, isInsecure: isInsecure, macros: macros, patterns: patterns,
      commandAge: age, settings: Trust.values(settings))
  }
}
