import Testing
import YAML

/// Writes a node in one line, to compare whole documents: quoted scalars in quotes, plain ones bare.
func sketch(_ node: YAMLNode?) -> String {
  switch node?.content {
  case nil: "nothing"
  case .scalar(let text, let isPlain): isPlain ? text : "\"\(text)\""
  case .sequence(let items): "[" + items.map { sketch($0) }.joined(separator: ", ") + "]"
  case .mapping(let members):
    "{" + members.map { "\($0.key): \(sketch($0.value))" }.joined(separator: ", ") + "}"
  }
}

/// Every key and value with its place, in order.
func places(_ node: YAMLNode) -> [String] {
  let own = "\(node.position.line):\(node.position.column)"
  switch node.content {
  case .scalar(let text, _): return ["\(text)@\(own)"]
  case .sequence(let items): return ["[]@\(own)"] + items.flatMap(places)
  case .mapping(let members):
    return ["{}@\(own)"]
      + members.flatMap {
        ["\($0.key)@\($0.keyPosition.line):\($0.keyPosition.column)"] + places($0.value)
      }
  }
}

@Suite("YAML: documents") struct YAMLDocumentTests {
  @Test(
    "A document is read as written, and no scalar is guessed at",
    arguments: [
      ("a: 1\nb: no\nc: 012\nd: 1e3\n", "{a: 1, b: no, c: 012, d: 1e3}"),
      ("a: 'x'\nb: \"y\\n\\u00e9\"\nc: \"1\"", "{a: \"x\", b: \"y\né\", c: \"1\"}"),
      ("- a\n- [b, {c: d}]\n", "[a, [b, {c: d}]]"),
      ("a:\nb: ~\nc: null\nd: ''", "{a: , b: ~, c: null, d: \"\"}"),
      ("a: |\n  one\n  two\n", "{a: \"one\ntwo\n\"}"),
      ("a: 1\na: 2\n", "{a: 1, a: 2}"),
      ("base: &b {x: 1}\nuse: *b\n", "{base: {x: 1}, use: {x: 1}}"),
      ("%YAML 1.1\n---\na: 1\n...\n", "{a: 1}"),
      ("\u{FEFF}a: 1\r\nb: 2\r\n", "{a: 1, b: 2}"),
      ("plain", "plain"),
      ("", "nothing"), ("# only\n\n# comments\n", "nothing"), ("---\n", "nothing"),
      ("'<<': 1", "{<<: 1}"),
    ])
  func reads(text: String, expected: String) throws {
    #expect(sketch(try YAMLNode.parse(Array(text.utf8))) == expected)
  }

  @Test("Keys and values know line and column, in characters and from 1")
  func positions() throws {
    let text = "\u{FEFF}# c\nprinter:\n  näme: 'ö'\n  list: [ä, b]\n"
    let node = try #require(try YAMLNode.parse(Array(text.utf8)))
    #expect(
      places(node) == [
        "{}@2:1", "printer@2:1", "{}@3:3", "näme@3:3", "ö@3:9", "list@4:3", "[]@4:9", "ä@4:10",
        "b@4:13",
      ])
  }

  @Test("What an alias stands for is reported where the alias stands")
  func aliasPosition() throws {
    let node = try #require(try YAMLNode.parse(Array("a: &x 1\nb: *x\n".utf8)))
    #expect(places(node) == ["{}@1:1", "a@1:1", "1@1:4", "b@2:1", "1@2:4"])
  }

  @Test(
    "A member is alone on its line only where the line could go and nothing else would change",
    arguments: [
      ("token: abc  # mine\n", true), ("token: 'abc'\n", true), ("{token: abc}\n", false),
      ("? token\n: abc\n", false), ("token:\n  abc\n", false), ("token: abc\n  def\n", false),
      ("token: |\n  abc\n", false), ("token: &x abc\n", false), ("token: [abc]\n", false),
    ])
  func alone(text: String, expected: Bool) throws {
    let node = try #require(try YAMLNode.parse(Array(text.utf8)))
    guard case .mapping(let members) = node.content else {
      Issue.record("no mapping")
      return
    }
    #expect(members.map(\.isAloneOnLine) == [expected])
  }

  @Test("The first key after a dash is not alone on its line, nor is anything below an anchor")
  func aloneInSequence() throws {
    let node = try #require(
      try YAMLNode.parse(Array("- a: 1\n  b: 2\n- &x\n  c: 3\n- *x\n".utf8)))
    guard case .sequence(let items) = node.content else {
      Issue.record("no sequence")
      return
    }
    let flags = items.map { item -> [Bool] in
      if case .mapping(let members) = item.content { members.map(\.isAloneOnLine) } else { [] }
    }
    #expect(flags == [[false, true], [false], [false]])
  }
}

@Suite("YAML: what is refused, where, and with what advice") struct YAMLRefusalTests {
  @Test(
    "A mistake is named in words, with its place and what to do",
    arguments: [
      ("a:\n\tb: 1\n", "2:1: a tab stands where YAML wants spaces; indent with spaces"),
      ("a: 1\nb\n", "2:1: there is no ':' after this key; write it as 'key: value'"),
      (
        "a\n  b: 1\n",
        "2:4: this ':' is out of place; put the value in quotes if the ':' belongs to it, else check the ':' and the indentation of the line before"
      ),
      (
        "a:\n  b: 1\n c: 2\n",
        "3:2: this line fits no level above it; check its indentation, the quotes before it and the ',' between values"
      ),
      (
        "a:\n  - b\n  c: 1\n",
        "3:3: this line is neither an entry of the list above nor outside of it; start it with '- ', or check its indentation"
      ),
      (
        "a: [1, 2\nb: 3\n",
        "1:4: the list that begins with '[' is not closed; write ']' after its last value"
      ),
      (
        "a: {b: 1\n",
        "1:4: the mapping that begins with '{' is not closed; write '}' after its last value"
      ),
      (
        "a: \"open\nb: 1\n",
        "1:4: the quote that opens here is never closed; close it at the end of the value"
      ),
      (
        "a: \"\\q\"\n",
        "1:5: a backslash in double quotes starts an escape that does not exist; write it twice, or put the value in single quotes"
      ),
      ("a: @home\n", "1:4: a value cannot begin with '@'; put it in quotes"),
      ("a: %x\n", "1:4: a value cannot begin with '%'; put it in quotes"),
      ("a: - b\n", "1:4: a list cannot begin here; start it on a line of its own, indented"),
      (
        "a: ]\n",
        "1:4: this does not belong here; check the indentation of this line and the brackets before it"
      ),
      (
        "a: *gone\n",
        "1:4: there is no anchor &gone before this alias; put the value in quotes if the '*' belongs to it"
      ),
      ("a: &x [*x]\n", "1:8: the alias *x stands inside its own anchor; write the value out"),
      (
        "b: &b {c: 1}\na:\n  <<: *b\n",
        "3:3: merge keys ('<<') are not supported; write the keys out"
      ),
      (
        "a: !!binary aGk=\n",
        "1:4: the tag !!binary is not supported; remove it: what a value means is fixed by its key"
      ),
      (
        "a: !python/object {}\n",
        "1:4: the tag !python/object is not supported; remove it: what a value means is fixed by its key"
      ),
      (
        "[a]: 1\n",
        "1:1: a list or a mapping cannot be a key; put the key in quotes if it is text"
      ),
      ("'': 1\n", "1:1: there is no key before this ':'; write one, or remove the ':'"),
      (
        "a: 1\n---\nb: 2\n",
        "2:1: a second document starts here; keep one document and remove the '---' line"
      ),
      ("a: \"x\\0y\"\n", "1:4: the value holds a NUL character; remove the \\0"),
      (
        "a: 1\rb: 2\r",
        "1:5: a lone carriage return ends this line; save the file with Unix line ends"
      ),
      ("a: x\u{2028}b: 1\n", "1:5: an invisible line break (U+2028) stands here; delete it"),
      ("ä: x\u{85}\n", "1:5: an invisible line break (U+0085) stands here; delete it"),
      ("a: \u{7}\n", "1:4: a control character (0x07) stands here; delete it"),
      ("a: \u{0}\n", "1:4: the file is binary, not text; check that this is the right file"),
    ])
  func refuses(text: String, expected: String) {
    #expect(problem(Array(text.utf8)) == expected)
  }

  @Test(
    "Bytes that are no UTF-8 are refused where the first of them stands",
    arguments: [
      (
        [0x61, 0x3A, 0x20, 0xE9, 0x0A],
        "1:4: the byte 0xE9 is no UTF-8 text; save the file as UTF-8"
      ),
      ([0xC0, 0x80], "1:1: the byte 0xC0 is no UTF-8 text; save the file as UTF-8"),
      ([0xED, 0xA0, 0x80], "1:1: the byte 0xED is no UTF-8 text; save the file as UTF-8"),
      ([0xF5, 0x80, 0x80, 0x80], "1:1: the byte 0xF5 is no UTF-8 text; save the file as UTF-8"),
      ([0x61, 0x0A, 0xE2, 0x82], "2:1: the byte 0xE2 is no UTF-8 text; save the file as UTF-8"),
      ([0xFF, 0xFE, 0x61, 0x00], "1:1: the file is UTF-16; save it as UTF-8"),
      ([0xFE, 0xFF, 0x00, 0x61], "1:1: the file is UTF-16; save it as UTF-8"),
      ([0x61, 0x00, 0x3A, 0x00, 0x20, 0x00], "1:1: the file is UTF-16; save it as UTF-8"),
      (
        [0x7F, 0x45, 0x4C, 0x46, 0x02, 0x00, 0x00],
        "1:1: the file is binary, not text; check that this is the right file"
      ),
    ] as [([UInt8], String)])
  func refusesBytes(bytes: [UInt8], expected: String) {
    #expect(problem(bytes) == expected)
  }

  @Test("Anchors that explode are counted before they are expanded")
  func explosion() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(aliases)]\n"
    }
    #expect(
      problem(Array(text.utf8))
        == "5:15: the file has more than 20000 values once its aliases are written out; write it with fewer aliases and values"
    )
  }

  @Test("Nesting is limited, also through aliases")
  func depth() {
    let brackets = "a: " + String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
    #expect(problem(Array(brackets.utf8)) == nil)
    let deeper = "a: " + String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
    #expect(
      problem(Array(deeper.utf8))
        == "1:35: values are nested more than 32 levels deep; check the brackets")
    let aliased =
      "a: &x " + String(repeating: "[", count: 20) + String(repeating: "]", count: 20)
      + "\nb: " + String(repeating: "[", count: 12) + "*x" + String(repeating: "]", count: 12)
    #expect(
      problem(Array(aliased.utf8))
        == "2:16: values are nested more than 32 levels deep; check the brackets")
    let million = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
    #expect(
      problem(million) == "1:33: values are nested more than 32 levels deep; check the brackets")
  }

  @Test("Size and number of values are limited")
  func size() {
    let limits = YAMLLimits(bytes: 10, depth: 4, nodes: 5)
    #expect(
      problem(Array("a: 12345678".utf8), limits)
        == "1:1: the file has 11 bytes, more than the 10 that a configuration may have; check that this is the right file"
    )
    #expect(problem(Array("[1,2,3,4]".utf8), limits) == nil)
    #expect(
      problem(Array("[1,2,3,4,5".utf8), limits)
        == "1:10: the file has more than 5 values once its aliases are written out; write it with fewer aliases and values"
    )
  }

  private func problem(_ bytes: [UInt8], _ limits: YAMLLimits = YAMLLimits()) -> String? {
    do {
      _ = try YAMLNode.parse(bytes, limits: limits)
      return nil
    } catch {
      return error.description
    }
  }
}
