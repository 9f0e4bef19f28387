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
      ("{\"success\":true}\n", false),
    ])
  func lastLine(text: String, hasWarnings: Bool) {
    let document = HubDocument(Array(text.utf8))
    #expect(document.object == ["success": true])
    #expect(document.hasWarnings == hasWarnings)
  }
}
