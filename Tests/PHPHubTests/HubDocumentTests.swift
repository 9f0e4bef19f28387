import JSON
import Testing

@testable import PHPHub

@Suite("PHP hub: documents") struct HubDocumentTests {
  @Test(
    "Whatever PHP prints before its one line, the line counts",
    arguments: [
      ("{\"success\":true}", false), ("\u{FEFF}{\"success\":true}", false),
      ("<br />\n<b>Warning</b>: x in <b>y</b> on line <b>3</b><br />\n{\"success\":true}", true),
      ("<br />\n<b>Notice</b>: x<br />\n{\"success\":true}\n\n", true),
      ("{\"success\":true}\n", false), ("\u{FEFF}\u{FEFF}{\"success\":true}", false),
      ("<br />\n<b>Notice</b>: x<br />\n\u{FEFF}{\"success\":true}", true),
    ])
  func lastLine(text: String, hasWarnings: Bool) {
    let document = HubDocument(Array(text.utf8))
    #expect(document.object == ["success": true])
    #expect(document.hasWarnings == hasWarnings)
  }

  @Test(
    "A list that PHP has written as a map is one",
    arguments: [
      ("[1,2]", [1, 2]), ("{\"1\":1,\"3\":2}", [1, 2]), ("[]", []), ("{}", []), ("null", []),
      ("{\"id\":1}", []), ("7", []),
    ] as [(String, [JSONValue])])
  func lists(text: String, elements: [JSONValue]) {
    let document = HubDocument(Array("{\"commands\":\(text)}".utf8))
    #expect(document.object?.list("commands") == elements)
    #expect(document.object?.list("files") == [])
  }
}
