/// One step of libyaml's parser.
struct YAMLEvent {
  /// What stands before a node.
  struct Properties {
    var anchor: String?
    var tag: String?
  }
  enum Kind {
    case streamStart, streamEnd, documentStart, documentEnd
    case alias(String)
    case scalar(String, isPlain: Bool, Properties)
    case sequenceStart(Properties)
    case sequenceEnd
    case mappingStart(Properties, isBlock: Bool)
    case mappingEnd
  }
  var kind: Kind
  var start: YAMLPosition
  var end: YAMLPosition
}
