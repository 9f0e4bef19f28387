/// Builds nodes from events; counts what aliases expand to before it expands them.
struct YAMLComposer {
  /// A node with what it costs.
  fileprivate struct Built {
    var node: YAMLNode
    /// Nodes in it, itself included, aliases expanded.
    var count: Int
    /// Levels of sequences and mappings in it.
    var height: Int
    /// Where its text ends.
    var end: YAMLPosition
    /// Whether it has an anchor or stands for one: its text is not only its own.
    var isShared = false
  }
  private let reader: YAMLEventReader
  private let text: YAMLText
  private let limits: YAMLLimits
  private var anchors: [String: Built] = [:]
  /// Anchors whose node is not complete yet: an alias to one would never end.
  private var open: Set<String> = []
  private var count = 0

  init(reader: YAMLEventReader, text: YAMLText, limits: YAMLLimits) {
    self.reader = reader
    self.text = text
    self.limits = limits
  }

  /// The one document; nil where there is nothing.
  mutating func document() throws(YAMLError) -> YAMLNode? {
    _ = try reader.next(in: text)
    guard case .documentStart = try reader.next(in: text).kind else { return nil }
    let root = try build(try reader.next(in: text), depth: 0)
    _ = try reader.next(in: text)
    let after = try reader.next(in: text)
    guard case .streamEnd = after.kind else {
      throw YAMLError(
        "a second document starts here", remedy: "keep one document and remove the '---' line",
        position: after.start)
    }
    if case .scalar("", isPlain: true) = root.node.content { return nil }
    return root.node
  }

  private mutating func build(_ event: YAMLEvent, depth: Int) throws(YAMLError) -> Built {
    switch event.kind {
    case .alias(let name): return try expand(name, at: event, depth: depth)
    case .scalar(let value, let isPlain, let properties):
      try admit(1, at: event.start)
      guard !value.utf8.contains(0) else {
        throw YAMLError(
          "the value holds a NUL character", remedy: "remove the \\0", position: event.start)
      }
      let node = YAMLNode(content: .scalar(value, isPlain: isPlain), position: event.start)
      return try finish(
        Built(node: node, count: 1, height: 0, end: event.end), properties, event.start)
    case .sequenceStart(let properties):
      try enter(properties, depth: depth, at: event.start)
      return try finish(
        try sequence(from: event.start, depth: depth + 1), properties, event.start)
    case .mappingStart(let properties, let isBlock):
      try enter(properties, depth: depth, at: event.start)
      return try finish(
        try mapping(from: event.start, isBlock: isBlock, depth: depth + 1), properties, event.start)
    case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
      throw YAMLError(
        "a value is missing here", remedy: "check the brackets before it", position: event.start)
    }
  }

  private mutating func sequence(
    from start: YAMLPosition, depth: Int
  ) throws(YAMLError) -> Built {
    var items: [YAMLNode] = []
    var built = Built(
      node: YAMLNode(content: .sequence([]), position: start), count: 1, height: 1, end: start)
    while true {
      let event = try reader.next(in: text)
      if case .sequenceEnd = event.kind {
        built.node.content = .sequence(items)
        built.end = event.end
        return built
      }
      let item = try build(event, depth: depth)
      built.add(item)
      items.append(item.node)
    }
  }

  private mutating func mapping(
    from start: YAMLPosition, isBlock: Bool, depth: Int
  ) throws(YAMLError) -> Built {
    var members: [YAMLNode.Member] = []
    var built = Built(
      node: YAMLNode(content: .mapping([]), position: start), count: 1, height: 1, end: start)
    while true {
      let event = try reader.next(in: text)
      if case .mappingEnd = event.kind {
        built.node.content = .mapping(members)
        built.end = event.end
        return built
      }
      let key = try build(event, depth: depth)
      let name = try keyText(key.node)
      let value = try build(try reader.next(in: text), depth: depth)
      built.add(key)
      built.add(value)
      var isAlone = false
      if case .scalar = value.node.content {
        let line = key.node.position.line
        isAlone =
          isBlock && !key.isShared && !value.isShared && value.node.position.line == line
          && value.end.line == line && text.isFirstOnLine(key.node.position)
      }
      members.append(
        YAMLNode.Member(
          key: name, keyPosition: key.node.position, value: value.node, isAloneOnLine: isAlone))
    }
  }

  private func keyText(_ node: YAMLNode) throws(YAMLError) -> String {
    guard case .scalar(let name, let isPlain) = node.content else {
      throw YAMLError(
        "a list or a mapping cannot be a key", remedy: "put the key in quotes if it is text",
        position: node.position)
    }
    if name.isEmpty {
      throw YAMLError(
        "there is no key before this ':'", remedy: "write one, or remove the ':'",
        position: node.position)
    }
    if name == "<<" && isPlain {
      throw YAMLError(
        "merge keys ('<<') are not supported", remedy: "write the keys out",
        position: node.position)
    }
    return name
  }

  private mutating func expand(
    _ name: String, at event: YAMLEvent, depth: Int
  ) throws(YAMLError) -> Built {
    if open.contains(name) {
      throw YAMLError(
        "the alias *\(name) stands inside its own anchor", remedy: "write the value out",
        position: event.start)
    }
    guard let anchored = anchors[name] else {
      throw YAMLError(
        "there is no anchor &\(name) before this alias",
        remedy: "put the value in quotes if the '*' belongs to it", position: event.start)
    }
    if depth + anchored.height > limits.depth { throw tooDeep(at: event.start) }
    try admit(anchored.count, at: event.start)
    var node = anchored.node
    node.position = event.start
    return Built(
      node: node, count: anchored.count, height: anchored.height, end: event.end, isShared: true)
  }

  private mutating func enter(
    _ properties: YAMLEvent.Properties, depth: Int, at position: YAMLPosition
  ) throws(YAMLError) {
    if depth >= limits.depth { throw tooDeep(at: position) }
    try admit(1, at: position)
    if let anchor = properties.anchor { open.insert(anchor) }
  }

  private mutating func finish(
    _ built: Built, _ properties: YAMLEvent.Properties, _ position: YAMLPosition
  ) throws(YAMLError) -> Built {
    if let tag = properties.tag {
      throw YAMLError(
        "the tag \(Self.shortened(tag)) is not supported",
        remedy: "remove it: what a value means is fixed by its key", position: position)
    }
    guard let anchor = properties.anchor else { return built }
    var shared = built
    shared.isShared = true
    shared.node.shareLines()
    open.remove(anchor)
    anchors[anchor] = shared
    return shared
  }

  private mutating func admit(_ nodes: Int, at position: YAMLPosition) throws(YAMLError) {
    let (sum, overflow) = count.addingReportingOverflow(nodes)
    guard !overflow && sum <= limits.nodes else {
      throw YAMLError(
        "the file has more than \(limits.nodes) values once its aliases are written out",
        remedy: "write it with fewer aliases and values", position: position)
    }
    count = sum
  }

  private func tooDeep(at position: YAMLPosition) -> YAMLError {
    YAMLError(
      "values are nested more than \(limits.depth) levels deep", remedy: "check the brackets",
      position: position)
  }

  /// `tag:yaml.org,2002:binary` as people write it: `!!binary`.
  private static func shortened(_ tag: String) -> String {
    let standard = "tag:yaml.org,2002:"
    return tag.hasPrefix(standard) ? "!!" + tag.dropFirst(standard.count) : String(tag.prefix(60))
  }
}

extension YAMLComposer.Built {
  fileprivate mutating func add(_ child: Self) {
    count += child.count
    height = max(height, child.height + 1)
  }
}

extension YAMLNode {
  /// Marks all lines below as used from elsewhere too.
  fileprivate mutating func shareLines() {
    switch content {
    case .scalar: break
    case .sequence(var items):
      for index in items.indices { items[index].shareLines() }
      content = .sequence(items)
    case .mapping(var members):
      for index in members.indices {
        members[index].isAloneOnLine = false
        members[index].value.shareLines()
      }
      content = .mapping(members)
    }
  }
}
