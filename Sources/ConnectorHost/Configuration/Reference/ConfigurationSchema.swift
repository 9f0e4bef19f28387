internal import ConnectorKit
internal import JSON
internal import Platform

/// The JSON schema of a configuration file, for editors.
///
/// It says what the loader says, as far as a schema can: a plain number or `yes` is a text where a text is
/// declared, `${…}` may stand in texts, and `null` means that a key is not set.
struct ConfigurationSchema {
  /// The connectors that a file may name.
  let registry: [any ConnectorBackend.Type]

  private static let reference = "\\$\\{(env|file):"

  /// The schema.
  var document: JSONValue {
    var properties = Self.properties(HostSettings.Top.keys)
    properties["version"] = [
      "description": "The version of this file's format.",
      "const": .integer(HostSettings.formatVersion),
    ]
    for section in HostSettings.sections {
      properties[section.name] = .object(
        Self.mapping(section.keys, summary: section.summary, isNullable: true))
    }
    properties["backends"] = [
      "description": "One entry for each cloud account.",
      "type": "array",
      "items": [
        "type": "object",
        "required": ["type"],
        "oneOf": .array(registry.map { .object(Self.entry($0.descriptor)) }),
      ],
    ]
    return [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "printer-uplink",
      "description": .string("Configuration of printer-uplink \(Product.version)."),
      "type": "object",
      "required": ["version", "backends"],
      "additionalProperties": false,
      "properties": .object(properties),
    ]
  }

  private static func entry(_ descriptor: ConnectorDescriptor) -> JSONObject {
    var schema = mapping(
      HostSettings.Entry.keys(of: descriptor), summary: descriptor.summary, isNullable: false)
    schema["title"] = .string(descriptor.title)
    schema["required"] = ["type"]
    if var properties = schema["properties"]?.object {
      properties["type"] = ["const": .string(descriptor.type)]
      schema["properties"] = .object(properties)
    }
    return schema
  }

  /// A mapping of these keys and nothing else.
  private static func mapping(
    _ keys: [ConfigurationKey], summary: String, isNullable: Bool
  ) -> JSONObject {
    var schema = JSONObject()
    schema["description"] = .string(summary)
    schema["type"] = isNullable ? ["object", "null"] : "object"
    schema["additionalProperties"] = false
    schema["properties"] = .object(properties(keys))
    let twins = keys.filter(\.declaration.isSecret).map { key -> JSONValue in
      let name = key.declaration.key
      return ["not": ["type": "object", "required": [.string(name), .string(name + "_file")]]]
    }
    if !twins.isEmpty { schema["allOf"] = .array(twins) }
    return schema
  }

  private static func properties(_ keys: [ConfigurationKey]) -> JSONObject {
    var properties = JSONObject()
    for key in keys {
      insert(value(key), at: key.declaration.key[...], into: &properties)
      if key.declaration.isSecret {
        insert(twin(key), at: key.declaration.key + "_file", into: &properties)
      }
      for alias in key.declaration.aliases {
        var old = value(key)
        old["deprecated"] = true
        insert(old, at: alias[...], into: &properties)
      }
    }
    return properties
  }

  private static func insert(
    _ schema: JSONObject, at path: some StringProtocol, into properties: inout JSONObject
  ) {
    guard let dot = path.firstIndex(of: ".") else {
      properties[String(path)] = .object(schema)
      return
    }
    let outer = String(path[..<dot])
    var group: JSONObject =
      properties[outer]?.object
      ?? ["type": ["object", "null"], "additionalProperties": false, "properties": [:]]
    var inner = group["properties"]?.object ?? JSONObject()
    insert(schema, at: path[path.index(after: dot)...], into: &inner)
    group["properties"] = .object(inner)
    properties[outer] = .object(group)
  }

  private static func twin(_ key: ConfigurationKey) -> JSONObject {
    [
      "description": .string("A file (mode 0600) that holds \(key.declaration.key)."),
      "type": ["string", "null"],
      "minLength": 1,
    ]
  }

  private static func value(_ key: ConfigurationKey) -> JSONObject {
    let declaration = key.declaration
    var schema = JSONObject()
    schema["description"] = .string(declaration.summary)
    for (name, value) in kind(key) { schema[name] = value }
    if let text = declaration.defaultText { schema["default"] = typed(text, declaration.kind) }
    if let example = declaration.example {
      schema["examples"] = [typed(example, declaration.kind)]
    }
    if declaration.isSecret { schema["writeOnly"] = true }
    return schema
  }

  /// The type and limits of a value.
  private static func kind(_ key: ConfigurationKey) -> JSONObject {
    switch key.form {
    case .permissions:
      let names = Permission.allCases.map { JSONValue.string($0.rawValue) }
      return [
        "anyOf": [
          ["enum": .array(PermissionLevel.allCases.map { .string($0.rawValue) })],
          ["type": "array", "minItems": 1, "items": ["enum": .array(names)]],
          anyReference(), ["type": "null"],
        ]
      ]
    case .name: return text(pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    case .listenAddress:
      return text(pattern: "^(off|([0-9.]+|localhost|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5})$")
    case .moonraker: return text(pattern: "^(https?://|unix:)")
    case .proxy: return text(pattern: "^((https?|socks4a?|socks5h?)://|$)")
    case .words(let words):
      return [
        "type": ["array", "null"],
        "items": ["anyOf": [["enum": .array(words.map { .string($0) })], anyReference()]],
      ]
    case .declared: break
    }
    switch key.declaration.kind {
    case .string(let limit):
      // A YAML editor takes `123` for a number; the loader takes it as the text that is declared.
      return [
        "type": ["string", "number", "boolean", "null"], "maxLength": .integer(limit),
      ]
    case .choice(let words):
      return [
        "anyOf": [["enum": .array(words.map(JSONValue.string) + [.null])], anyReference()]
      ]
    case .integer(let range):
      return [
        "type": ["integer", "null"], "minimum": .integer(range.lowerBound),
        "maximum": .integer(range.upperBound),
      ]
    case .number(let range):
      return [
        "type": ["number", "null"], "minimum": .double(range.lowerBound),
        "maximum": .double(range.upperBound),
      ]
    case .boolean: return ["type": ["boolean", "null"]]
    case .duration(let range):
      return [
        "anyOf": [
          [
            "type": "number", "minimum": seconds(range.lowerBound),
            "maximum": seconds(range.upperBound),
          ],
          ["type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)?$"], ["type": "null"],
        ]
      ]
    case .url(let schemes): return text(pattern: "^(\(schemes.joined(separator: "|")))://")
    case .path: return ["type": ["string", "null"], "minLength": 1]
    case .stringList:
      return [
        "type": ["array", "null"], "items": ["type": ["string", "number", "boolean"]],
      ]
    }
  }

  /// A text of this form, or one with a reference in it.
  private static func text(pattern: String) -> JSONObject {
    ["type": ["string", "null"], "pattern": .string("\(pattern)|\(reference)")]
  }

  private static func anyReference() -> JSONValue {
    ["type": "string", "pattern": .string(reference)]
  }

  private static func seconds(_ duration: Duration) -> JSONValue {
    let parts = duration.components
    guard parts.attoseconds != 0 else { return .integer(parts.seconds) }
    return .double(Double(parts.seconds) + Double(parts.attoseconds) / 1e18)
  }

  /// A default or an example as JSON.
  private static func typed(_ text: String, _ kind: SettingKind) -> JSONValue {
    switch kind {
    case .integer: Int(text).map { .integer($0) } ?? .string(text)
    case .number: .double(Double(text))
    case .boolean: .bool(text == "true")
    case .duration: DurationText.parse(text).map(seconds) ?? .string(text)
    case .stringList:
      .array(
        text.drop { $0 == "[" }.split(separator: "]").first.map { items in
          items.split(separator: ",").map {
            .string(String($0.drop { $0 == " " }).replacing(text: "\"", with: ""))
          }
        } ?? [])
    case .string, .choice, .url, .path: .string(text)
    }
  }
}
