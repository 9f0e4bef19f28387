import YAML

/// What libFuzzer calls: any bytes are refused with a place and a remedy, or read within the limits.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzYAML(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  let limits = YAMLLimits(bytes: 1 << 16, depth: 16, nodes: 2_000)
  do {
    guard let root = try YAMLNode.parse(bytes, limits: limits) else { return 0 }
    precondition(nodes(root, depth: 0, limits) <= limits.nodes, "more nodes than allowed")
  } catch {
    precondition(error.position.line >= 1 && error.position.column >= 1, "no place")
    precondition(!error.problem.isEmpty && !error.remedy.isEmpty, "no words")
  }
  return 0
}

/// Counts nodes as the limits do, and checks the places.
private func nodes(_ node: YAMLNode, depth: Int, _ limits: YAMLLimits) -> Int {
  precondition(depth <= limits.depth, "deeper than allowed")
  precondition(node.position.line >= 1 && node.position.column >= 1, "no place")
  switch node.content {
  case .scalar: return 1
  case .sequence(let items):
    return items.reduce(1) { $0 + nodes($1, depth: depth + 1, limits) }
  case .mapping(let members):
    return members.reduce(1) { $0 + 1 + nodes($1.value, depth: depth + 1, limits) }
  }
}
