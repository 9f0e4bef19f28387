import YAML

/// What libFuzzer calls: any bytes are refused at a place, or read as nodes that have one.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzYAML(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  let limits = YAMLLimits(bytes: 1 << 16, depth: 16, nodes: 2_000)
  do {
    guard let node = try YAMLNode.parse(bytes, limits: limits) else { return 0 }
    var nodes = 0
    check(node, depth: 1, nodes: &nodes, limits)
  } catch {
    check(error.position)
    precondition(!error.problem.isEmpty && !error.remedy.isEmpty, "an error without words")
  }
  return 0
}

private func check(_ node: YAMLNode, depth: Int, nodes: inout Int, _ limits: YAMLLimits) {
  check(node.position)
  nodes += 1
  precondition(nodes <= limits.nodes, "more nodes than allowed")
  switch node.content {
  case .scalar: return
  case .sequence(let elements):
    precondition(depth <= limits.depth, "nested deeper than allowed")
    for element in elements { check(element, depth: depth + 1, nodes: &nodes, limits) }
  case .mapping(let members):
    precondition(depth <= limits.depth, "nested deeper than allowed")
    for member in members {
      check(member.keyPosition)
      nodes += 1
      check(member.value, depth: depth + 1, nodes: &nodes, limits)
    }
  }
}

private func check(_ position: YAMLPosition) {
  precondition(position.line >= 1 && position.column >= 1, "a place before the file")
}
