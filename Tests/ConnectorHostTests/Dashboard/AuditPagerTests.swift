import ConnectorKit
import Foundation
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("The audit, page by page") struct AuditPagerTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path + "/audit.jsonl" }

  init() throws { folder = try TemporaryFolder() }

  private func write(_ records: [AuditRecord], to name: String = "") throws {
    let text = records.map { AuditLine.record($0).text }.joined()
    try text.write(toFile: path + name, atomically: false, encoding: .utf8)
  }

  private func ids(_ page: AuditPage) -> [String] {
    page.lines.map { line in
      switch line {
      case .record(let record): record.commandID
      case .missing(let count, _): "missing \(count)"
      case .unreadable: "?"
      }
    }
  }

  /// All pages, one behind the other.
  private func all(_ query: AuditQuery, scanLimit: Int = 1 << 20) throws -> (
    ids: [String], pages: Int
  ) {
    var query = query
    var found: [String] = []
    for pages in 1...10_000 {
      let page = try AuditPager(path: path, scanLimit: scanLimit).page(query)
      found += ids(page)
      guard let next = page.next else { return (found, pages) }
      query.before = next
    }
    return (found, .max)
  }

  @Test(
    "Every line comes once, the newest first, whatever a page holds", arguments: [1, 3, 50, 200])
  func paging(_ limit: Int) throws {
    try write((0..<40).map { sampleRecord("a\($0)") }, to: ".2")
    try write((0..<40).map { sampleRecord("b\($0)") }, to: ".1")
    try write((0..<40).map { sampleRecord("c\($0)") })
    var query = AuditQuery()
    query.limit = limit
    let expected = ["c", "b", "a"].flatMap { name in (0..<40).reversed().map { "\(name)\($0)" } }
    #expect(try all(query).ids == expected)
  }

  @Test("Filters find what is wanted, also where little of it is there at a time")
  func filters() throws {
    try write(
      (0..<3_000).map { number in
        sampleRecord(
          "\(number)", number % 500 == 0 ? .init(.refused, .stale, "") : .done(),
          backend: number % 2 == 0 ? "reach" : "polar")
      })
    var query = AuditQuery()
    query.backend = "reach"
    query.status = .refused
    let (ids, pages) = try all(query, scanLimit: 1 << 17)
    #expect(ids == ["2500", "2000", "1500", "1000", "500", "0"])
    #expect(pages > 3, "a page looks at a part of the file only")
    query.status = .failed
    #expect(try all(query).ids.isEmpty)
    query = AuditQuery()
    query.backend = "reac"
    #expect(try all(query).ids.isEmpty)
  }

  @Test("A page goes on where it ended, though the file was rotated or grew meanwhile")
  func rotation() throws {
    try write((0..<10).map { sampleRecord("a\($0)") })
    var query = AuditQuery()
    query.limit = 4
    let first = try AuditPager(path: path).page(query)
    #expect(ids(first) == ["a9", "a8", "a7", "a6"])
    try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    try write((0..<10).map { sampleRecord("b\($0)") })
    query.before = first.next
    #expect(ids(try AuditPager(path: path).page(query)) == ["a5", "a4", "a3", "a2"])
  }

  @Test("What is torn, gone or strange is passed over")
  func strange() throws {
    #expect(try all(AuditQuery()).ids.isEmpty)
    let good = AuditLine.record(sampleRecord("1")).text
    let gap = AuditLine.missing(7, at: WallTime(millisecondsSinceEpoch: 0)).text
    let long = String(repeating: "x", count: 200_000)
    try ("torn}\n\n" + good + long + "\n" + gap + good + "{\"at\":").write(
      toFile: path, atomically: false, encoding: .utf8)
    #expect(try all(AuditQuery()).ids == ["1", "missing 7", "1"])
    var query = AuditQuery()
    query.before = .init(file: 1, offset: 10)
    #expect(try all(query).ids.isEmpty)
  }

  @Test(
    "A query is understood as a whole or not at all",
    arguments: [
      ([("limit", "0")], false), ([("limit", "201")], false), ([("limit", "x")], false),
      ([("before", "1")], false), ([("before", "-1-2")], false), ([("before", "1-2-3")], false),
      ([("status", "dune")], false), ([("other", "")], false), ([("limit", "200")], true),
      ([("before", "12-34"), ("status", "refused"), ("backend", "reach")], true),
      ([("status", ""), ("backend", "")], true), ([], true),
    ])
  func queries(_ parameters: [(String, String)], _ isUnderstood: Bool) {
    #expect((AuditQuery(parameters.map { (name: $0.0, value: $0.1) }) != nil) == isUnderstood)
  }
}
