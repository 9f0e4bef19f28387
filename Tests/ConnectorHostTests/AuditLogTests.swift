import ConnectorKit
import Foundation
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("The audit on the disk") struct AuditLogTests {
  private let folder: TemporaryFolder
  private let directory: StateDirectory
  private let sink = RememberingSink()
  private var path: String { directory.path(of: "audit.jsonl") }

  init() throws {
    folder = try TemporaryFolder()
    directory = try StateDirectory(
      opening: folder.path + "/state", configurationPath: folder.path + "/c.yaml")
  }

  private func audit(maximumBytes: Int = AuditLog.maximumBytes) -> AuditLog {
    AuditLog(
      directory: directory, log: Log(label: "audit", sink: sink), time: ManualTime(),
      maximumBytes: maximumBytes)
  }

  private func lines() throws -> [AuditLine] {
    var reader = AuditReader(path: path)
    return try reader.all().map { AuditLine($0) }
  }

  @Test("Records are appended in order, a line each, for the owner's eyes only")
  func order() throws {
    let log = audit()
    let records = (0..<100).map { sampleRecord("\($0)") }
    for record in records { log.write(record) }
    #expect(log.flush())
    #expect(try lines() == records.map(AuditLine.record))
    #expect(log.standing == AuditLog.Standing())
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    let again = audit()
    again.write(sampleRecord("later"))
    #expect(again.flush())
    #expect(try lines().count == 101)
  }

  @Test("Nothing in the file steers a terminal that shows it")
  func terminal() throws {
    let text = "\u{1B}[2J\u{9B}31m\u{7F}\u{202E}\u{2066}\u{2028}ü"
    let log = audit()
    log.write(sampleRecord(text))
    #expect(log.flush())
    let bytes = try String(contentsOfFile: path, encoding: .utf8)
    #expect(bytes.contains("\\u009b31m"))
    #expect(bytes.dropLast().unicodeScalars.allSatisfy { !String.mustEscape($0) })
    #expect(try lines() == [.record(sampleRecord(text))])
  }

  @Test("Every outcome reads back as it was written, hostile texts too; details stay out")
  func roundTrip() throws {
    let log = audit()
    var records: [AuditRecord] = []
    for status in CommandOutcome.Status.allCases {
      for reason in CommandOutcome.Reason.allCases {
        records.append(
          sampleRecord(
            hostileText,
            CommandOutcome(
              status, reason, hostileText, isRepeat: status == .refused),
            backend: hostileText, action: hostileText))
      }
    }
    for record in records { log.write(record) }
    log.write(sampleRecord("d", .done(["token": "canary-secret"])))
    #expect(log.flush())
    #expect(try lines().dropLast() == records.map(AuditLine.record)[...])
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(!text.contains("canary-secret"))
    #expect(
      text.split(separator: "\n", omittingEmptySubsequences: false).count == records.count + 2)
  }

  @Test("A text of a megabyte is cut")
  func cut() throws {
    let log = audit()
    log.write(sampleRecord(String(repeating: "é", count: 1 << 20)))
    #expect(log.flush())
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    #expect((1..<2_000).contains(size))
    guard case .record(let record) = try #require(try lines().first) else {
      Issue.record("no record")
      return
    }
    #expect(record.commandID.hasSuffix("…"))
  }

  @Test("It is rotated by size, two old ones are kept, and all are read in order")
  func rotation() throws {
    let log = audit(maximumBytes: 4_096)
    for number in 0..<100 {
      log.write(sampleRecord("\(number)"))
      #expect(log.flush())
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    #expect(files == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"])
    let ids = try lines().map { line -> Int? in
      guard case .record(let record) = line else { return nil }
      return Int(record.commandID)
    }
    let first = try #require(ids.first ?? nil)
    #expect(first > 0)
    #expect(ids == Array(first..<100))
    for file in files {
      let size =
        try FileManager.default.attributesOfItem(atPath: directory.path(of: file))[.size] as? Int
      #expect(size ?? .max <= 4_096)
    }
  }

  @Test("What cannot be written is counted and said once, here and later in the file")
  func unwritable() throws {
    let log = audit()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    for number in 0..<3 {
      log.write(sampleRecord("\(number)"))
      #expect(log.flush())
    }
    #expect(log.standing.lost == 3)
    #expect(log.standing.problem?.contains(path) == true)
    #expect(sink.messages.count == 1)
    #expect(sink.messages.first?.hasPrefix("error: ") == true)
    try FileManager.default.removeItem(atPath: path)
    log.write(sampleRecord("4"))
    #expect(log.flush())
    #expect(log.standing == AuditLog.Standing(lost: 3, problem: nil))
    #expect(sink.messages.count == 2)
    let found = try lines()
    #expect(found.count == 2)
    guard case .missing(3, _) = try #require(found.first) else {
      Issue.record("the gap is not said")
      return
    }
    #expect(found.last == .record(sampleRecord("4")))
  }

  @Test("A mailbox that is full loses the newest and counts them")
  func mailbox() {
    var mailbox = AuditMailbox()
    var wakes = 0
    for number in 0..<2_500 where mailbox.put(sampleRecord("\(number)")) { wakes += 1 }
    #expect(wakes == 1)
    let (records, lost) = mailbox.takeAll()
    #expect(records.count == 2_000)
    #expect(records.last?.commandID == "1999")
    #expect(lost == 500)
    let wakesAgain = mailbox.put(sampleRecord("next"))
    #expect(wakesAgain)
  }

  @Test("Damaged lines are seen as such; a last line that is only half there is none")
  func damaged() throws {
    let record = AuditLine.record(sampleRecord("1")).text
    let half = String(record.dropLast(30))
    _ = try folder.write(
      "state/audit.jsonl", "\(record)\u{0}\u{0}garbage\n\n{\"at\":7}\n[]\n\(record)\(half)")
    let record1 = AuditLine.record(sampleRecord("1"))
    #expect(try lines() == [record1, .unreadable, .unreadable, .unreadable, record1])
  }

  @Test("Who follows sees each line once, when it is whole, and across a rotation")
  func follow() throws {
    var reader = AuditReader(path: path)
    #expect(try reader.all().isEmpty)
    let first = AuditLine.record(sampleRecord("1")).text
    let second = AuditLine.record(sampleRecord("2")).text
    _ = try folder.write("state/audit.jsonl", first + second.dropLast(5))
    #expect(try reader.new().map { AuditLine($0) } == [.record(sampleRecord("1"))])
    #expect(try reader.new().isEmpty)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(second.suffix(5).utf8))
    #expect(try reader.new().map { AuditLine($0) } == [.record(sampleRecord("2"))])
    // A last line in the old file, then a new one in its place.
    try handle.write(contentsOf: Data(first.utf8))
    try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    _ = try folder.write("state/audit.jsonl", second)
    #expect(
      try reader.new().map { AuditLine($0) } == [
        .record(sampleRecord("1")), .record(sampleRecord("2")),
      ])
    #expect(try reader.new().isEmpty)
  }
}
