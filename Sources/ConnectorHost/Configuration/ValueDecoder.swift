internal import ConnectorKit
internal import Networking
internal import Platform
internal import YAML

/// Turns one value of the file into what its declaration says, or says why it cannot.
///
/// Types are declared: nothing is guessed from how a value looks.
struct ValueDecoder {
  /// Where to look things up and put findings.
  let context: DecodingContext
  /// Whether what only concerns a running backend (files, variables, TLS) is no error.
  let isDisabled: Bool
  /// Whether the entry says `insecure: true`.
  let isInsecure: Bool
  /// The declaration of the value.
  let key: ConfigurationKey
  /// The key's path in the file.
  let path: String

  /// A text with its origin.
  private struct Text {
    var characters: String
    var origin: SettingOrigin
  }

  /// The value of `member`; nil where it is not set, or is wrong and has been reported.
  func value(of member: YAMLNode.Member) -> Settings.Entry? {
    let node = member.value
    guard !node.isNull else { return nil }
    let origin = SettingOrigin.file(
      line: member.keyPosition.line, column: member.keyPosition.column,
      isLiteral: member.isAloneOnLine)
    switch key.form {
    case .permissions: return permissions(node).map { Settings.Entry(value: $0, origin: origin) }
    default: break
    }
    switch key.declaration.kind {
    case .stringList: return list(node).map { Settings.Entry(value: $0, origin: origin) }
    case .boolean, .integer, .number, .duration:
      guard let text = scalar(node) else { return nil }
      return plain(text, of: node).map { Settings.Entry(value: $0, origin: origin) }
    case .string, .choice, .url, .path:
      guard let text = text(node, origin: origin), accepts(text.characters, at: node.position),
        let value = textValue(text.characters, at: node.position)
      else { return nil }
      return Settings.Entry(value: value, origin: text.origin)
    }
  }

  /// The secret in the file that `member` names.
  func secret(inFileOf member: YAMLNode.Member) -> Settings.Entry? {
    let node = member.value
    guard !node.isNull,
      let name = text(
        node, origin: .file(line: node.position.line, column: node.position.column, isLiteral: true)
      )
    else { return nil }
    let file = context.absolute(name.characters)
    do {
      let value = try ValueFile.read(file)
      guard isPrivate(file, at: node.position), accepts(value, at: node.position),
        let decoded = textValue(value, at: node.position)
      else { return nil }
      return Settings.Entry(value: decoded, origin: .secretFile(file))
    } catch {
      unresolved(error.problem, error.remedy, at: node.position)
      return nil
    }
  }

  /// The value that an environment variable gives.
  func value(_ text: String, ofVariable name: String, at position: YAMLPosition) -> Settings.Entry?
  {
    let decoded: SettingValue?
    switch key.declaration.kind {
    case .stringList: decoded = .list(text.split(separator: ",").map(String.init))
    case .boolean, .integer, .number, .duration:
      decoded = plain(
        text, of: YAMLNode(content: .scalar(text, isPlain: true), position: position))
    case .string, .choice, .url, .path:
      decoded = accepts(text, at: position) ? textValue(text, at: position) : nil
    }
    return decoded.map { Settings.Entry(value: $0, origin: .environment(name)) }
  }

  // MARK: Texts

  private func scalar(_ node: YAMLNode) -> String? {
    switch node.content {
    case .scalar(let text, _): return text
    case .sequence: return fail("must be one value, not a list", "write \(form)", at: node.position)
    case .mapping:
      return fail("must be one value, not a mapping", "write \(form)", at: node.position)
    }
  }

  /// The text of a scalar with its references resolved.
  private func text(_ node: YAMLNode, origin: SettingOrigin) -> Text? {
    guard let raw = scalar(node) else { return nil }
    guard raw.contains(text: "${") else { return Text(characters: raw, origin: origin) }
    let parts: [Interpolation.Part]
    do { parts = try Interpolation.parts(of: raw) } catch {
      switch error {
      case .unclosed:
        return fail(
          "'${' is not closed", "write ${env:NAME} or ${file:PATH}, or $${ for the characters",
          at: node.position)
      case .unknown(let reference):
        return fail(
          "${\(Self.shown(reference))} is not known",
          "write ${env:NAME} or ${file:PATH}, or $${ for the characters", at: node.position)
      }
    }
    var text = Text(characters: "", origin: origin)
    for part in parts {
      switch part {
      case .literal(let characters): text.characters += characters
      case .environment(let name):
        guard let value = context.environment[name] else {
          let missing = context.environmentFiles.missing(name)
          unresolved(missing.problem, missing.remedy, at: node.position)
          return nil
        }
        text.characters += value
        if text.origin == origin { text.origin = .environment(name) }
      case .file(let name):
        let file = context.absolute(name)
        do { text.characters += try ValueFile.read(file) } catch {
          unresolved(error.problem, error.remedy, at: node.position)
          return nil
        }
        guard !key.declaration.isSecret || isPrivate(file, at: node.position) else { return nil }
        if text.origin == origin { text.origin = .secretFile(file) }
      }
    }
    return text
  }

  /// What no text of ours may be.
  private func accepts(_ text: String, at position: YAMLPosition) -> Bool {
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      report(
        "holds a line break or another control character", "write it in one line", at: position)
      return false
    }
    let mayBeEmpty =
      if case .string = key.declaration.kind {
        !key.declaration.isSecret && !key.declaration.isRequired
      } else { false }
    if text.isEmpty && !mayBeEmpty {
      report("is empty", "write \(form), or remove the key", at: position)
      return false
    }
    if case .string(let limit) = key.declaration.kind, text.count > limit {
      report(
        "has \(text.count) characters, more than \(limit)", "shorten it", at: position)
      return false
    }
    return true
  }

  private func textValue(_ text: String, at position: YAMLPosition) -> SettingValue? {
    switch key.declaration.kind {
    case .choice(let words): return choice(text, of: words, at: position)
    case .url(let schemes): return url(text, schemes: schemes, at: position)
    case .path: return .string(context.absolute(text))
    default:
      if let problem = problem(ofForm: text) {
        return fail(problem, "write \(form)", at: position)
      }
      return key.declaration.isSecret ? .secret(Secret(text)) : .string(text)
    }
  }

  private func problem(ofForm text: String) -> String? {
    switch key.form {
    case .declared, .permissions, .words: return nil
    case .name:
      return Self.isName(text) ? nil : "\(quoted(text)) cannot be a name"
    case .listenAddress:
      return ListenAddress(text) == nil ? "\(quoted(text)) is no address to listen on" : nil
    case .moonraker:
      return HostAddress.moonraker(text, context) == nil
        ? "\(quoted(text)) is no address of Moonraker" : nil
    case .proxy: return text.isEmpty || HostAddress.isProxy(text) ? nil : "this is no proxy's URL"
    }
  }

  private static func isName(_ text: String) -> Bool {
    let allowed = { (byte: UInt8) in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: false
      }
    }
    guard let first = text.utf8.first, allowed(first) else { return false }
    return text.utf8.allSatisfy { allowed($0) || "._-".utf8.contains($0) }
  }

  private func choice(
    _ text: String, of words: [String], at position: YAMLPosition
  ) -> SettingValue? {
    guard !words.contains(text) else { return .string(text) }
    let nearest = NearestName.of(text, among: words)
    let all = words.joined(separator: ", ")
    let others = words.count > 8 ? "" : " (\(all))"
    return fail(
      "\(quoted(text)) is not known",
      nearest.map { "did you mean \($0)?\(others)" } ?? "write one of \(all)", at: position)
  }

  private func url(
    _ text: String, schemes: [String], at position: YAMLPosition
  ) -> SettingValue? {
    guard let parts = URLParts(text), schemes.contains(parts.scheme) else {
      return fail("\(quoted(text)) is no URL that fits here", "write \(form)", at: position)
    }
    guard !parts.hasCredentials else {
      return fail(
        "the URL holds a user or a password", "remove it: URLs are shown and logged", at: position)
    }
    let isEncrypted = parts.scheme == "https" || parts.scheme == "wss"
    guard !isEncrypted, !parts.isLoopback, !isDisabled else { return .string(text) }
    switch key.declaration.tls {
    case .local: return .string(text)
    case .required:
      return fail(
        "\(quoted(text)) has no TLS: everybody on the way could read and change what is sent",
        "write \(Self.encrypted(parts.scheme))://", at: position)
    case .requiredUnlessInsecure:
      guard !isInsecure else { return .string(text) }
      return fail(
        "\(quoted(text)) has no TLS: everybody on the way could read and change what is sent",
        "write \(Self.encrypted(parts.scheme))://, or insecure: true in this entry if you accept that",
        at: position)
    }
  }

  private static func encrypted(_ scheme: String) -> String { scheme == "ws" ? "wss" : "https" }

  // MARK: Numbers, times, truth

  private func plain(_ text: String, of node: YAMLNode) -> SettingValue? {
    let position = node.position
    if text.contains(text: "${") {
      return fail("${…} works in texts only", "write \(form)", at: position)
    }
    switch key.declaration.kind {
    case .boolean:
      switch (text, node.isPlain) {
      case ("true", true): return .boolean(true)
      case ("false", true): return .boolean(false)
      default:
        return fail("\(quoted(text)) is neither true nor false", "write \(form)", at: position)
      }
    case .integer(let range):
      guard node.isPlain, let number = Self.integer(text) else {
        return fail(
          node.isPlain ? "\(quoted(text)) is no whole number" : "\(quoted(text)) is a text",
          "write \(form)", at: position)
      }
      guard range.contains(number) else { return outOfRange(text, at: position) }
      return .integer(number)
    case .number(let range):
      let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
      guard node.isPlain, let magnitude = DurationText.decimal(digits) else {
        return fail("\(quoted(text)) is no number", "write \(form)", at: position)
      }
      let number = text.hasPrefix("-") ? -magnitude : magnitude
      guard range.contains(number) else { return outOfRange(text, at: position) }
      return .number(number)
    case .duration(let range):
      guard let time = DurationText.parse(text) else {
        return fail("\(quoted(text)) is no time", "write \(form)", at: position)
      }
      guard range.contains(time) else { return outOfRange(text, at: position) }
      return .duration(time)
    case .string, .choice, .url, .path, .stringList: return nil
    }
  }

  /// A decimal whole number: no sign but `-`, no leading zeros (`012` is ten in YAML 1.1).
  private static func integer(_ text: String) -> Int? {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      digits == "0" || !digits.hasPrefix("0")
    else { return nil }
    return Int(text)
  }

  private func outOfRange(_ text: String, at position: YAMLPosition) -> SettingValue? {
    fail("\(quoted(text)) is out of range", "write \(form)", at: position)
  }

  // MARK: Lists

  private func list(_ node: YAMLNode) -> SettingValue? {
    guard case .sequence(let items) = node.content else {
      return fail("must be a list", "write \(form)", at: node.position)
    }
    var values: [String] = []
    var isComplete = true
    for (index, item) in items.enumerated() {
      let decoder = element(index)
      guard !item.isNull else {
        decoder.report("is empty", "write a text, or remove the entry", at: item.position)
        isComplete = false
        continue
      }
      guard let text = decoder.text(item, origin: .byDefault),
        decoder.accepts(text.characters, at: item.position)
      else {
        isComplete = false
        continue
      }
      if case .words(let words) = key.form, !words.contains(text.characters) {
        let nearest = NearestName.of(text.characters, among: words)
        decoder.report(
          "'\(text.characters)' is none of \(words.joined(separator: ", "))",
          nearest.map { "did you mean \($0)?" } ?? "write one of them, or remove the entry",
          at: item.position)
        isComplete = false
        continue
      }
      values.append(text.characters)
    }
    return isComplete ? .list(values) : nil
  }

  /// A decoder for one text of the list.
  private func element(_ index: Int) -> ValueDecoder {
    var declaration = key.declaration
    declaration.kind = .string(maximumLength: 255)
    declaration.isRequired = true
    return ValueDecoder(
      context: context, isDisabled: isDisabled, isInsecure: isInsecure,
      key: ConfigurationKey(declaration), path: "\(path)[\(index)]")
  }

  private func permissions(_ node: YAMLNode) -> SettingValue? {
    let levels = PermissionLevel.allCases.map(\.rawValue)
    guard case .sequence = node.content else {
      guard let text = text(node, origin: .byDefault) else { return nil }
      if !levels.contains(text.characters),
        Permission(rawValue: text.characters) != nil
      {
        return fail(
          "\(quoted(text.characters)) is a permission, not a level",
          "write a list: [\(text.characters)]", at: node.position)
      }
      return choice(text.characters, of: levels, at: node.position)
    }
    guard case .list(let names) = list(node), case .sequence(let items) = node.content else {
      return nil
    }
    guard !names.isEmpty else {
      return fail(
        "is an empty list: its cloud could not even read the status", "write [status], or monitor",
        at: node.position)
    }
    let known = Permission.allCases.map(\.rawValue)
    var isComplete = true
    for (index, name) in names.enumerated() where !known.contains(name) {
      isComplete = false
      let place = items.indices.contains(index) ? items[index].position : node.position
      if levels.contains(name) {
        element(index).report(
          "\(quoted(name)) is a level", "write it alone, without a list", at: place)
      } else {
        _ = element(index).choice(name, of: known, at: place)
      }
    }
    return isComplete ? .list(names) : nil
  }

  // MARK: Reports

  private func report(_ problem: String, _ remedy: String, at position: YAMLPosition) {
    context.findings.add(.error, path, at: position, problem, remedy)
  }

  private func fail<Value>(
    _ problem: String, _ remedy: String, at position: YAMLPosition
  ) -> Value? {
    report(problem, remedy, at: position)
    return nil
  }

  /// What a running backend could not do without.
  private func unresolved(_ problem: String, _ remedy: String, at position: YAMLPosition) {
    context.findings.add(isDisabled ? .warning : .error, path, at: position, problem, remedy)
  }

  /// Reports a secret's file that others may read; false where everybody may.
  private func isPrivate(_ file: String, at position: YAMLPosition) -> Bool {
    switch ValueFile.audience(file) {
    case nil: return true
    case .group:
      context.findings.add(
        .warning, path, at: position, "the file \(file) may be read by its group",
        "chmod 600 \(file)")
      return true
    case .everyone:
      unresolved("the file \(file) may be read by everyone", "chmod 600 \(file)", at: position)
      return false
    }
  }

  /// A value of the file in quotes, unless it is a secret.
  private func quoted(_ text: String) -> String {
    key.declaration.isSecret ? "the value" : "'\(Self.shown(text))'"
  }

  private static func shown(_ text: String) -> String {
    let clean = String(
      String.UnicodeScalarView(
        text.unicodeScalars.prefix(60).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
    return text.unicodeScalars.count > 60 ? clean + "…" : clean
  }

  /// What to write, in words.
  private var form: String { ValueForm(key).description }
}

extension YAMLNode {
  /// Whether the value is left out: nothing, `~` or `null` without quotes.
  var isNull: Bool {
    if case .scalar(let text, isPlain: true) = content {
      text.isEmpty || text == "~" || text == "null"
    } else {
      false
    }
  }

  /// Whether it is a scalar without quotes.
  fileprivate var isPlain: Bool {
    if case .scalar(_, isPlain: true) = content { true } else { false }
  }
}
