import Foundation
import Testing

@testable import ConnectorHost

@Suite("What open pages show") struct EventBoardTests {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
  private func body(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("A page gets every part once, in order, and then only what has changed")
  func changes() {
    var board = EventBoard()
    var page = EventBoard.Cursor()
    #expect(board.events(&page).isEmpty)
    #expect(board.put(.backends, body("[]")))
    #expect(board.put(.printer, body("{}")))
    #expect(
      text(board.events(&page)) == "event: printer\ndata: {}\n\nevent: backends\ndata: []\n\n")
    #expect(board.events(&page).isEmpty)
    #expect(!board.put(.printer, body("{}")))
    #expect(board.events(&page).isEmpty)
    #expect(board.put(.printer, body("[1]")))
    #expect(text(board.events(&page)) == "event: printer\ndata: [1]\n\n")
  }

  @Test("A slow page gets the newest of what it missed, and no more")
  func slow() {
    var board = EventBoard()
    var page = EventBoard.Cursor()
    for number in 0..<1_000 { _ = board.put(.printer, body("\(number)")) }
    #expect(text(board.events(&page)) == "event: printer\ndata: 999\n\n")
  }

  @Test("Outcomes are told one by one, from the first look on, and a gap is said")
  func outcomes() {
    var board = EventBoard()
    var page = EventBoard.Cursor()
    board.add(outcome: body("0"))
    #expect(board.events(&page).isEmpty)
    board.add(outcome: body("1"))
    board.add(outcome: body("2"))
    #expect(text(board.events(&page)) == "event: outcome\ndata: 1\n\nevent: outcome\ndata: 2\n\n")
    for number in 0..<EventBoard.outcomes { board.add(outcome: body("\(number)")) }
    #expect(text(board.events(&page)).components("event: outcome") == EventBoard.outcomes)
    for number in 0...EventBoard.outcomes { board.add(outcome: body("\(number)")) }
    #expect(text(board.events(&page)) == "event: gap\ndata: {}\n\n")
    board.skip(outcomes: 60)
    board.add(outcome: body("x"))
    #expect(text(board.events(&page)) == "event: gap\ndata: {}\n\n")
    #expect(board.events(&page).isEmpty)
  }

  @Test("A beat is heard by whoever has nothing else to hear, once")
  func beat() {
    var board = EventBoard()
    var page = EventBoard.Cursor()
    board.sendBeat()
    #expect(board.events(&page).isEmpty, "a page's first words are no beat")
    board.sendBeat()
    #expect(text(board.events(&page)) == "event: beat\ndata: {}\n\n")
    #expect(board.events(&page).isEmpty)
    board.sendBeat()
    _ = board.put(.program, body("{}"))
    #expect(text(board.events(&page)) == "event: program\ndata: {}\n\n")
    #expect(board.events(&page).isEmpty)
  }
}

extension String {
  /// How often `part` stands in it.
  fileprivate func components(_ part: String) -> Int {
    var count = 0
    var rest = self[...]
    while let range = rest.range(of: part) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
