import JSON
import Testing

@Suite("JSON left where it is") struct JSONSliceTests {
  private func slice(_ text: String) throws -> JSONSlice {
    try JSONSlice(document: Array(text.utf8))
  }

  @Test("Of a long array only so many elements are kept, and all are counted")
  func firstElements() throws {
    let slice = try JSONSlice(document: Array("[1,22,[3],4]".utf8))
    let (first, count) = slice.elements(atMost: 2)
    #expect(try first.map { try $0.value() } == [1, 22])
    #expect(count == 4)
    #expect(slice.elements(atMost: 0).count == 4)
    #expect(try JSONSlice(document: Array("{}".utf8)).elements(atMost: 2).count == 0)
  }

  @Test("A detached part has its own bytes only, and the same value")
  func detached() throws {
    let slice = try JSONSlice(document: Array(#"{"a":[1,{"b":"c"}],"d":2}"#.utf8))
    let part = try #require(slice["a"]?.detached())
    #expect(part.documentCount == part.count)
    #expect(try part.value() == [1, ["b": "c"]])
    #expect(part.elements.count == 2)
  }

  @Test("Elements and members are found, and parsed when asked for")
  func finds() throws {
    let list = try slice(#" [ {"id":1,"b":"x"} , 2.50 , null,"a\u0041", [ ] , true ] "#)
    #expect(list.kind == .array)
    let elements = list.elements
    #expect(elements.map(\.kind) == [.object, .number, .null, .string, .array, .bool])
    #expect(try elements[0]["id"]?.value() == 1)
    #expect(try elements[0]["b"]?.value() == "x")
    #expect(elements[0]["c"] == nil)
    #expect(try elements[1].value().number?.spelling == "2.50")
    #expect(try elements[3].value() == "aA")
    #expect(elements[4].elements.isEmpty)
    #expect(elements[1]["id"] == nil)
  }

  @Test("Of a repeated key the last counts, and an escaped key is that key")
  func keys() throws {
    #expect(try slice(#"{"a":1,"\u0061":2}"#)["a"]?.value() == 2)
  }

  @Test(
    "What the parser refuses for its shape is refused",
    arguments: [
      "", "[", "[1", "[1,", "[1,]", "{", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{a:1}", "[1 2]", "]",
      "nul", "[tru]", "01", "\"a", "\"\\", "\"a\u{1}\"", "[] []", "{\"a\":1]", "-",
    ])
  func refuses(text: String) {
    #expect(throws: JSONError.self) { try slice(text) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
  }

  @Test("Depth and size are limited")
  func limits() {
    let deep = Array((String(repeating: "[", count: 65) + String(repeating: "]", count: 65)).utf8)
    #expect(throws: JSONError.self) { try JSONSlice(document: deep) }
    #expect(throws: JSONError.self) {
      try JSONSlice(document: Array("[1,2]".utf8), limits: JSONLimits(bytes: 4))
    }
  }

  @Test("A long string is handed over in pieces, unescaped", arguments: [1, 2, 3, 7, 100])
  func pieces(size: Int) throws {
    let element = try slice(#"["QUJD\r\nRE\/F\u0041\u003d"]"#).elements[0]
    var text: [UInt8] = []
    try element.forEachPiece(ofSize: size) { piece in
      #expect(!piece.isEmpty)
      text += piece
    }
    #expect(text == Array("QUJD\r\nRE/FA=".utf8))
    #expect(throws: JSONError.self) {
      try slice(#"["ab\x"]"#).elements[0].forEachPiece(ofSize: size) { _ in }
    }
  }

  @Test("Slices and parser agree on generated documents")
  func agrees() throws {
    var random = SystemRandomNumberGenerator()
    func value(_ depth: Int) -> JSONValue {
      switch Int.random(in: 0..<(depth > 3 ? 4 : 6), using: &random) {
      case 0: .null
      case 1: .bool(.random(using: &random))
      case 2: .integer(Int.random(in: -9_999...9_999, using: &random))
      case 3: .string("t\"\\\n\(Int.random(in: 0..<99, using: &random))é")
      case 4: .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth + 1) })
      default:
        .object(
          (0..<Int.random(in: 0..<4, using: &random)).reduce(into: JSONObject()) { object, number in
            object["k\(number)\""] = value(depth + 1)
          })
      }
    }
    func check(_ slice: JSONSlice, _ value: JSONValue) throws {
      #expect(try slice.value() == value)
      if let array = value.array {
        #expect(slice.elements.count == array.count)
        for (part, element) in zip(slice.elements, array) { try check(part, element) }
      }
      for (key, member) in value.object ?? [:] { try check(#require(slice[key]), member) }
    }
    for _ in 0..<200 {
      let document = value(0)
      try check(JSONSlice(document: document.serialized()), document)
    }
  }
}
