internal import CYAML

/// libyaml's parser over one text: the owner of both. Used from one thread.
@safe
final class YAMLEventReader {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  /// libyaml reads from here as long as it lives.
  private let text: UnsafeMutableBufferPointer<UInt8>

  /// A parser over `bytes`.
  ///
  /// - Throws: `YAMLError` when there is no memory for it.
  init(_ bytes: [UInt8]) throws(YAMLError) {
    unsafe parser = .allocate(capacity: 1)
    unsafe text = .allocate(capacity: max(1, bytes.count))
    _ = unsafe text.update(fromContentsOf: bytes)
    guard unsafe yaml_parser_initialize(parser) == 1 else {
      unsafe parser.initialize(to: yaml_parser_t())
      throw YAMLError(
        "there is not enough memory to read the file", remedy: "free some memory",
        position: YAMLPosition(line: 1, column: 1))
    }
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  /// The next event.
  ///
  /// - Throws: `YAMLError` in words for people, made from libyaml's, at the place where the mistake is.
  func next(in text: YAMLText) throws(YAMLError) -> YAMLEvent {
    var event = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure(in: text) }
    defer { unsafe yaml_event_delete(&event) }
    let (start, end) = unsafe (event.start_mark, event.end_mark)
    return YAMLEvent(
      kind: unsafe Self.kind(of: event), start: YAMLPosition(start), end: YAMLPosition(end))
  }

  private func failure(in text: YAMLText) -> YAMLError {
    unsafe YAMLComplaint(
      problem: parser.pointee.problem.map { unsafe String(cString: $0) } ?? "",
      context: parser.pointee.context.map { unsafe String(cString: $0) } ?? "",
      position: YAMLPosition(parser.pointee.problem_mark),
      contextPosition: YAMLPosition(parser.pointee.context_mark)
    ).error(in: text)
  }

  private static func kind(of event: yaml_event_t) -> YAMLEvent.Kind {
    switch unsafe event.type {
    case YAML_STREAM_START_EVENT: return .streamStart
    case YAML_DOCUMENT_START_EVENT: return .documentStart
    case YAML_DOCUMENT_END_EVENT: return .documentEnd
    case YAML_ALIAS_EVENT: return .alias(unsafe string(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = unsafe event.data.scalar
      let characters = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      return .scalar(
        unsafe String(decoding: characters, as: UTF8.self),
        isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE,
        unsafe properties(scalar.anchor, scalar.tag))
    case YAML_SEQUENCE_START_EVENT:
      let sequence = unsafe event.data.sequence_start
      return .sequenceStart(unsafe properties(sequence.anchor, sequence.tag))
    case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      let mapping = unsafe event.data.mapping_start
      return .mappingStart(
        unsafe properties(mapping.anchor, mapping.tag),
        isBlock: unsafe mapping.style == YAML_BLOCK_MAPPING_STYLE)
    case YAML_MAPPING_END_EVENT: return .mappingEnd
    default: return .streamEnd
    }
  }

  private static func properties(
    _ anchor: UnsafeMutablePointer<yaml_char_t>?, _ tag: UnsafeMutablePointer<yaml_char_t>?
  ) -> YAMLEvent.Properties {
    unsafe YAMLEvent.Properties(anchor: string(anchor), tag: string(tag))
  }

  private static func string(_ characters: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    unsafe characters.map { unsafe String(cString: $0) }
  }
}

extension YAMLPosition {
  /// libyaml counts from 0, columns in characters.
  fileprivate init(_ mark: yaml_mark_t) {
    self.init(line: Int(clamping: mark.line) &+ 1, column: Int(clamping: mark.column) &+ 1)
  }
}
