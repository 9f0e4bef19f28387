import Testing
import XML

@Suite("XML") struct XMLDocumentReaderTests {
  private func events(_ text: String) throws -> [XMLDocumentReader.Event] {
    var events: [XMLDocumentReader.Event] = []
    try XMLDocumentReader.read(Array(text.utf8)) { events.append($0) }
    return events
  }

  @Test("elements come with their namespace, and text between them")
  func elements() throws {
    let found = try events("<a xmlns=\"http://x/y\"><b>1 &amp; 2</b></a>")
    #expect(found.first == .start("http://x/y a"))
    let text = found.compactMap { if case .text(let text) = $0 { text } else { nil } }
    #expect(text.joined() == "1 & 2")
    #expect(found.last == .end("http://x/y a"))
  }

  @Test(
    "what is no document is refused",
    arguments: ["", "<a>", "<a></b>", "<a>&nbsp;</a>", "<a/><b/>", "\u{0}", "<a b=\"1\" b=\"2\"/>"])
  func malformed(_ text: String) {
    #expect(throws: XMLDocumentReader.Failure.self) { try events(text) }
  }

  @Test("a document that defines entities is refused before any is unfolded")
  func bomb() {
    var text = "<!DOCTYPE a [<!ENTITY a0 \"aaaaaaaaaa\">"
    for level in 1...9 {
      let inner = String(repeating: "&a\(level - 1);", count: 10)
      text += "<!ENTITY a\(level) \"\(inner)\">"
    }
    #expect(throws: XMLDocumentReader.Failure.self) { try events(text + "]><a>&a9;</a>") }
    #expect(throws: XMLDocumentReader.Failure.self) {
      try events("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>")
    }
  }

  @Test("an endless nesting is refused")
  func depth() {
    #expect(throws: XMLDocumentReader.Failure.self) {
      try events(String(repeating: "<a>", count: 10_000))
    }
  }
}
