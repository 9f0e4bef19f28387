import JSON
import Testing

@Suite("JSON grammar") struct JSONGrammarTests {
  @Test(
    "What RFC 8259 allows is read, and written compactly",
    arguments: [
      ("[]", "[]"), ("{}", "{}"), (" [ ] ", "[]"), ("\t{\r\n}\n", "{}"),
      ("null", "null"), ("true", "true"), ("false", "false"), ("\"\"", "\"\""),
      ("[null, true ,false]", "[null,true,false]"), ("[[[]],[{}]]", "[[[]],[{}]]"),
      ("{\"a\":1,\"b\":{\"c\":[2]}}", "{\"a\":1,\"b\":{\"c\":[2]}}"),
      ("{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}"), ("{\"\":0}", "{\"\":0}"),
      ("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"),
      ("0", "0"), ("-0", "-0"), ("0.0", "0.0"), ("-0.0", "-0.0"), ("22.0", "22.0"),
      ("1", "1"), ("-1", "-1"), ("1.5", "1.5"), ("1.50", "1.50"), ("0.00", "0.00"),
      ("0e0", "0e0"), ("1E5", "1E5"), ("1e+5", "1e+5"), ("1e-5", "1e-5"),
      ("-1.25e-07", "-1.25e-07"),
      ("1e400", "1e400"), ("-1e400", "-1e400"), ("1e-400", "1e-400"),
      ("9223372036854775807", "9223372036854775807"),
      ("-9223372036854775808", "-9223372036854775808"),
      ("9223372036854775808", "9223372036854775808"),
      ("123456789012345678901234567890", "123456789012345678901234567890"),
      ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
      ("[1,2.25,-3e3]", "[1,2.25,-3e3]"),
      (#""\"\\\/\b\f\n\r\t""#, #""\"\\/\b\f\n\r\t""#),
      (#""\u0041\u00e9\u20AC\uD83D\uDE00""#, "\"Aé€😀\""),
      (#""a\u0000b""#, #""a\u0000b""#), (#""\u001f\u007f""#, "\"\\u001f\u{7F}\""),
      (#""x\u0061y\u0062""#, "\"xayb\""), ("\"é€😀\"", "\"é€😀\""),
      (#""\uFFFF\uFFFD\u2028""#, "\"\u{FFFF}\u{FFFD}\u{2028}\""),
      (#""\uDBFF\uDFFF""#, "\"\u{10FFFF}\""), ("{\"é\\n\":\"\"}", "{\"é\\n\":\"\"}"),
    ])
  func accepts(text: String, written: String) throws {
    #expect(try JSONValue(text: text).text == written)
  }

  @Test(
    "What is no JSON is refused at its first offending byte",
    arguments: [
      ("", 0), (" ", 1), ("nul", 3), ("nulL", 3), ("True", 0), ("truee", 4), ("NaN", 0),
      ("Infinity", 0), ("-Infinity", 1), ("+1", 0), ("-", 1), ("--1", 1), ("- 1", 1), (".5", 0),
      ("1.", 2), ("1.e5", 2), ("1e", 2), ("1e+", 3), ("1e5.5", 3), ("01", 0), ("-01", 1),
      ("00", 0), ("0x10", 1), ("1_000", 1), ("1 2", 2), ("1,", 1), ("1\u{0}", 1),
      ("[", 1), ("]", 0), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("[1}", 2),
      ("[]]", 2), ("[]x", 2), ("[\u{c}]", 1), ("[1,,2]", 3), ("{", 1), ("{\"a\"", 4),
      ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,", 7), ("{\"a\":1,}", 7), ("{\"a\" 1}", 5),
      ("{\"a\":}", 5), ("{a:1}", 1), ("{'a':1}", 1), ("{1:1}", 1), ("{null:1}", 1), ("{,}", 1),
      ("{\"a\"::1}", 5), ("{\"a\":1 \"b\":2}", 7), ("{\"a\":1}}", 7), ("{]", 1),
      ("\"", 1), ("\"a", 2), ("'a'", 0), ("\"a\nb\"", 2), ("\"\t\"", 1), ("\"\u{0}\"", 1),
      ("\"\u{1F}\"", 1), (#""\"#, 2), (#""\""#, 3), (#""\x41""#, 1), (#""\a""#, 1),
      (#""\u""#, 3), (#""\u12""#, 5), (#""\u123g""#, 6), (#""\u123"#, 6), (#""\U0041""#, 1),
      (#""\uD800""#, 1), (#""\uDC00""#, 1), (#""a\uD800\u0041""#, 2), (#""\uD800\uD800""#, 1),
      (#""\uD83Dx""#, 1), (#""\uD83D\n""#, 1), (#""\uDE00\uD83D""#, 1),
      ("// c\n1", 0), ("1 // c", 2), ("/**/1", 0), ("\u{FEFF}1", 0), ("\u{A0}1", 0), ("[1;2]", 2),
    ])
  func refuses(text: String, offset: Int) {
    #expect { try JSONValue(text: text) } throws: { ($0 as? JSONError)?.offset == offset }
  }

  @Test(
    "Bytes that are not UTF-8 are refused in strings and keys",
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x80, 0x80], [0xE2, 0x82],
      [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xFC, 0x80, 0x80, 0x80, 0x80, 0x80],
    ] as [[UInt8]])
  func refusesBrokenUTF8(bytes: [UInt8]) {
    let inString = Array("[\"ab".utf8) + bytes + Array("\"]".utf8)
    #expect { try JSONValue(parsing: inString) } throws: { ($0 as? JSONError)?.offset == 4 }
    let afterEscape = Array("[\"\\n".utf8) + bytes + Array("\"]".utf8)
    #expect { try JSONValue(parsing: afterEscape) } throws: { ($0 as? JSONError)?.offset == 4 }
    let inKey = Array("{\"".utf8) + bytes + Array("\":1}".utf8)
    #expect { try JSONValue(parsing: inKey) } throws: { ($0 as? JSONError)?.offset == 2 }
    #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
  }

  @Test("Every way to cut a document off is an error at or before the cut")
  func refusesEveryPrefix() {
    let document = Array(#"{"a":[1.5e3,true,null,"x\u00e9\uD83D\uDE00é"],"b":{"c":-0.25}}"#.utf8)
    for length in 0..<document.count {
      #expect {
        try JSONValue(parsing: Array(document.prefix(length)))
      } throws: {
        ($0 as? JSONError).map { $0.offset <= length } == true
      }
    }
  }

  @Test("An error is one line with problem and place")
  func describesErrors() {
    #expect {
      try JSONValue(text: "[1,]")
    } throws: {
      "\($0)" == "not JSON: no value begins like this at byte 3"
    }
  }
}
