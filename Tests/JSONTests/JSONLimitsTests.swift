import JSON
import Testing

@Suite("JSON limits") struct JSONLimitsTests {
  @Test("A document may be as large as the limit and no larger")
  func limitsSize() throws {
    #expect(try JSONValue(text: "[1,2]", limits: JSONLimits(bytes: 5)) == [1, 2])
    #expect(throws: JSONError(problem: "more than 4 bytes", offset: 4)) {
      try JSONValue(text: "[1,2]", limits: JSONLimits(bytes: 4))
    }
  }

  @Test("Arrays and objects may nest as deep as the limit and no deeper", arguments: [0, 1, 2, 64])
  func limitsDepth(depth: Int) throws {
    let limits = JSONLimits(depth: depth)
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let fits =
        String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
      #expect(try JSONValue(text: fits, limits: limits).text == fits)
      let tooDeep = open + fits + close
      #expect(
        throws: JSONError(
          problem: "nested deeper than \(depth) levels", offset: open.utf8.count * depth)
      ) { try JSONValue(text: tooDeep, limits: limits) }
    }
  }

  @Test("No limit allows a nesting that recursion could not bear")
  func capsDepth() {
    let text = String(repeating: "[", count: 1_000_000)
    #expect {
      try JSONValue(text: text, limits: JSONLimits(depth: .max))
    } throws: {
      ($0 as? JSONError)?.offset == JSONLimits.deepest
    }
  }

  @Test("Siblings do not add to the depth")
  func countsNestingOnly() throws {
    let text = "[" + Array(repeating: "[{}]", count: 500).joined(separator: ",") + "]"
    #expect(try JSONValue(text: text, limits: JSONLimits(depth: 3)).array?.count == 500)
  }

  @Test(
    "A hundred thousand keys, all different or all alike, are read in time that grows with their number"
  )
  func readsManyKeys() throws {
    let count = 100_000
    let different = "{" + (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
    let object = try #require(try JSONValue(text: different).object)
    #expect(object.count == count)
    #expect(object["k99999"] == 99_999)
    #expect(object.keys.first == "k0")
    let alike = "{" + (0..<count).map { "\"k\":\($0)" }.joined(separator: ",") + "}"
    #expect(try JSONValue(text: alike) == ["k": 99_999])
  }

  @Test(
    "Keys that differ in normalisation only share no hash that could be exploited",
    .timeLimit(.minutes(1)))
  func readsKeysAlikeAfterNormalisation() throws {
    // 2^13 spellings of one text.
    var keys = [""]
    for _ in 0..<13 { keys = keys.flatMap { [$0 + "\u{E9}", $0 + "e\u{301}"] } }
    let text = "{" + keys.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
    #expect(try JSONValue(text: text).object?.count == keys.count)
  }
}
