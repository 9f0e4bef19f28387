import Foundation
import Testing

@testable import ConnectorHost

/// One page, and what it hears.
private final class Page {
  private var cursor = EventBoard.Cursor()
  func hears(_ board: EventBoard) -> String {
    String(decoding: board.events(&cursor), as: UTF8.self)
  }
}

@Suite("What open pages show") struct EventBoardTests {
  private func body(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("A page gets every part once, in order, and then only what has changed")
  func changes() {
    var board = EventBoard()
    let page = Page()
    #expect(page.hears(board).isEmpty)
    let isNew = (board.put(.backends, body("[]")), board.put(.printer, body("{}")))
    #expect(isNew == (true, true))
    #expect(
      page.hears(board) == "event: printer\ndata: {}\n\nevent: backends\ndata: []\n\n")
    #expect(page.hears(board).isEmpty)
    let isNewAgain = board.put(.printer, body("{}"))
    #expect(!isNewAgain)
    #expect(page.hears(board).isEmpty)
    _ = board.put(.printer, body("[1]"))
    #expect(page.hears(board) == "event: printer\ndata: [1]\n\n")
  }

  @Test("A slow page gets the newest of what it missed, and no more")
  func slow() {
    var board = EventBoard()
    let page = Page()
    for number in 0..<1_000 { _ = board.put(.printer, body("\(number)")) }
    #expect(page.hears(board) == "event: printer\ndata: 999\n\n")
  }

  @Test("Outcomes are told one by one, from the first look on, and a gap is said")
  func outcomes() {
    var board = EventBoard()
    let page = Page()
    board.add(outcome: body("0"))
    #expect(page.hears(board).isEmpty)
    board.add(outcome: body("1"))
    board.add(outcome: body("2"))
    #expect(page.hears(board) == "event: outcome\ndata: 1\n\nevent: outcome\ndata: 2\n\n")
    for number in 0..<EventBoard.outcomes { board.add(outcome: body("\(number)")) }
    #expect(page.hears(board).components("event: outcome") == EventBoard.outcomes)
    for number in 0...EventBoard.outcomes { board.add(outcome: body("\(number)")) }
    #expect(page.hears(board) == "event: gap\ndata: {}\n\n")
    board.skip(outcomes: 60)
    board.add(outcome: body("x"))
    #expect(page.hears(board) == "event: gap\ndata: {}\n\n")
    #expect(page.hears(board).isEmpty)
  }

  @Test("A beat is heard by whoever has nothing else to hear, once")
  func beat() {
    var board = EventBoard()
    let page = Page()
    board.sendBeat()
    #expect(page.hears(board).isEmpty, "a page's first words are no beat")
    board.sendBeat()
    #expect(page.hears(board) == "event: beat\ndata: {}\n\n")
    #expect(page.hears(board).isEmpty)
    board.sendBeat()
    _ = board.put(.program, body("{}"))
    #expect(page.hears(board) == "event: program\ndata: {}\n\n")
    #expect(page.hears(board).isEmpty)
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
