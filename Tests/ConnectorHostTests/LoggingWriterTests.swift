import ConnectorKit
import Foundation
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("The log writer") struct LoggingWriterTests {
  /// A folder that goes with the test, and a console that is a file in it.
  private final class Ground {
    let folder: URL
    let console: LogConsole

    init() throws {
      folder = FileManager.default.temporaryDirectory.appending(path: "log-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let descriptor = open(folder.path + "/console", O_RDWR | O_CREAT | O_APPEND, 0o600)
      console = LogConsole(descriptor: descriptor, style: .journal)
    }

    deinit {
      close(console.descriptor)
      try? FileManager.default.removeItem(at: folder)
    }

    func path(_ name: String) -> String { folder.path + "/" + name }

    func lines(_ name: String) -> [String] {
      let text = (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? ""
      return text.split(separator: "\n").map(String.init)
    }

    /// The texts of a log file's lines, without stamp and level.
    func texts(_ name: String) -> [String] {
      lines(name).map { line in
        line.range(of: "x: ").map { String(line[$0.upperBound...]) } ?? line
      }
    }

    func writer(_ settings: LogWriter.Settings) -> LogWriter {
      LogWriter(settings: settings, time: ManualTime(), console: console)
    }
  }

  @Test("A line goes to the console and to the file")
  func both() throws {
    let ground = try Ground()
    let writer = ground.writer(.init(file: ground.path("log")))
    Log(label: "x", sink: writer)(.error, "no route")
    #expect(writer.flush())
    #expect(ground.lines("console") == ["<3>x: no route"])
    #expect(ground.lines("log").count == 1)
    #expect(ground.lines("log").first?.hasSuffix("ERROR x: no route") == true)
    let mode = try FileManager.default.attributesOfItem(atPath: ground.path("log"))
    let bits = try #require(mode[.posixPermissions] as? Int)
    #expect(bits & 0o137 == 0)
  }

  @Test("Levels hold per label and change live")
  func levels() throws {
    let ground = try Ground()
    let writer = ground.writer(.init(level: .warning, levels: ["x": .debug]))
    #expect(writer.accepts(.debug, label: "x"))
    #expect(!writer.accepts(.trace, label: "x"))
    #expect(!writer.accepts(.info, label: "y"))
    #expect(writer.accepts(.warning, label: "y"))
    writer.configure(.init(level: .info))
    #expect(!writer.accepts(.debug, label: "x"))
    #expect(writer.accepts(.info, label: "y"))
  }

  @Test("Lines keep their order, and another file takes over at the line")
  func configure() throws {
    let ground = try Ground()
    let writer = ground.writer(.init(file: ground.path("a")))
    for number in 0..<50 { writer.write(.info, label: "x", message: "\(number)") }
    writer.configure(.init(file: ground.path("b")))
    #expect(writer.flush())
    for number in 50..<60 { writer.write(.info, label: "x", message: "\(number)") }
    #expect(writer.flush())
    #expect(ground.texts("a") == (0..<50).map(String.init))
    #expect(ground.texts("b") == (50..<60).map(String.init))
  }

  @Test("At its size the file is rotated, and only so many are kept")
  func rotation() throws {
    let ground = try Ground()
    let writer = ground.writer(.init(file: ground.path("log"), maximumBytes: 4_096, backups: 2))
    for number in 0..<1_000 {
      writer.write(.info, label: "x", message: "\(number)")
      if number % 50 == 0 { #expect(writer.flush()) }
    }
    #expect(writer.flush())
    let kept = ground.texts("log.2") + ground.texts("log.1") + ground.texts("log")
    #expect(kept == ((1_000 - kept.count)..<1_000).map(String.init))
    #expect(kept.count > 100)
    #expect(!FileManager.default.fileExists(atPath: ground.path("log.3")))
    for name in ["log", "log.1", "log.2"] {
      let size = try FileManager.default.attributesOfItem(atPath: ground.path(name))[.size]
      #expect(try #require(size as? Int) <= 4_096)
    }
  }

  @Test("Without backups the file starts anew at its size")
  func rotationWithoutBackups() throws {
    let ground = try Ground()
    let writer = ground.writer(.init(file: ground.path("log"), maximumBytes: 4_096, backups: 0))
    for number in 0..<400 { writer.write(.info, label: "x", message: "\(number)") }
    #expect(writer.flush())
    #expect(ground.texts("log").last == "399")
    #expect(ground.lines("log").count < 200)
    #expect(!FileManager.default.fileExists(atPath: ground.path("log.1")))
  }

  @Test("A file that was moved or removed is made anew")
  func externalRotation() throws {
    let ground = try Ground()
    let writer = ground.writer(.init(file: ground.path("log")))
    writer.write(.info, label: "x", message: "1")
    #expect(writer.flush())
    try FileManager.default.moveItem(atPath: ground.path("log"), toPath: ground.path("old"))
    writer.write(.info, label: "x", message: "2")
    #expect(writer.flush())
    try FileManager.default.removeItem(atPath: ground.path("log"))
    writer.write(.info, label: "x", message: "3")
    #expect(writer.flush())
    #expect(ground.texts("old") == ["1"])
    #expect(ground.texts("log") == ["3"])
  }

  @Test("A file that cannot be written is said once, and so is its return")
  func brokenFile() throws {
    let ground = try Ground()
    let writer = ground.writer(.init(file: ground.path("folder/log")))
    for number in 0..<5 {
      writer.write(.info, label: "x", message: "\(number)")
      #expect(writer.flush())
      // A reload that changes nothing of it does not say it again.
      writer.configure(.init(file: ground.path("folder/log")))
    }
    let complaints = ground.lines("console").filter { $0.contains("folder/log") }
    #expect(complaints.count == 1)
    #expect(ground.lines("console").count == 6)

    try FileManager.default.createDirectory(
      atPath: ground.path("folder"), withIntermediateDirectories: true)
    writer.write(.info, label: "x", message: "5")
    #expect(writer.flush())
    #expect(ground.lines("console").last?.contains("takes lines again") == true)
    #expect(ground.lines("folder/log").first?.contains("5 lines are missing") == true)
    #expect(ground.texts("folder/log").last == "5")
  }

  @Test("What is no file is not written to", arguments: ["/dev/full", "/dev/null", "/"])
  func noFile(_ path: String) throws {
    let ground = try Ground()
    let writer = ground.writer(.init(file: path))
    writer.write(.info, label: "x", message: "1")
    #expect(writer.flush())
    #expect(ground.lines("console").count == 2)
  }

  @Test("A console that takes nothing fails nobody")
  func brokenConsole() throws {
    let ground = try Ground()
    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    let writer = LogWriter(
      settings: .init(file: ground.path("log")), time: ManualTime(),
      console: LogConsole(descriptor: full, style: .plain))
    writer.write(.info, label: "x", message: "1")
    #expect(writer.flush())
    #expect(ground.texts("log") == ["1"])
  }

  @Test("A console that nobody reads holds up no caller; what is lost is counted")
  func stuckConsole() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let input = ends[0]
    let writer = LogWriter(
      settings: .init(), time: ManualTime(),
      console: LogConsole(descriptor: ends[1], style: .journal))
    let message = String(repeating: "x", count: 1_000)
    for number in 0..<5_000 { writer.write(.info, label: "x", message: "\(message)\(number)") }
    #expect(!writer.flush(within: .milliseconds(20)))
    #expect(writer.flush(within: .seconds(10)))

    // Once somebody reads, all that found room comes, and then the number of those that did not.
    let lines = Guarded(0)
    let lost = Guarded(0)
    let news = DispatchSemaphore(value: 0)
    Thread.detachNewThread { [lines, lost, news] in
      var rest = Data()
      var piece = [UInt8](repeating: 0, count: 65_536)
      defer { close(input) }
      while case let count = read(input, &piece, piece.count), count > 0 {
        rest += piece.prefix(count)
        while let end = rest.firstIndex(of: 10) {
          let line = String(decoding: rest[..<end], as: UTF8.self)
          rest = Data(rest[(end + 1)...])
          lines.withLock { $0 += line.hasPrefix("<6>x: ") ? 1 : 0 }
          if let text = line.split(separator: " ").dropFirst().first, let number = Int(text) {
            lost.withLock { $0 += number }
          }
          news.signal()
        }
      }
    }
    func comes(_ condition: () -> Bool) -> Bool {
      while !condition() {
        if news.wait(timeout: .now() + 5) == .timedOut { return condition() }
      }
      return true
    }
    let isRead = comes { lines.withLock(\.self) > 0 }
    #expect(isRead)
    writer.write(.info, label: "x", message: "the last")
    #expect(writer.flush(within: .seconds(10)))
    close(ends[1])
    let isAccounted = comes { lines.withLock(\.self) + lost.withLock(\.self) == 5_001 }
    #expect(isAccounted)
    #expect(lost.withLock(\.self) > 0)
  }

  @Test("What comes again and again is counted, but where the level shows every call")
  func repetitions() throws {
    let ground = try Ground()
    let writer = ground.writer(.init(levels: ["y": .debug], file: ground.path("log")))
    for label in ["x", "y"] {
      for _ in 0..<20 { writer.write(.warning, label: label, message: "x: no route") }
    }
    #expect(writer.flush())
    #expect(ground.lines("log").filter { $0.hasSuffix(" x: x: no route") }.count == 4)
    #expect(ground.lines("log").filter { $0.hasSuffix(" y: x: no route") }.count == 20)
    #expect(ground.lines("log").filter { $0.contains("(16 more times since ") }.count == 1)
    #expect(ground.lines("log").count == 25)
    #expect(ground.lines("console").count == 25)
  }

  @Test("A link leads to the file, also after that was rotated beside itself")
  func link() throws {
    let ground = try Ground()
    try FileManager.default.createDirectory(
      atPath: ground.path("elsewhere"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: ground.path("log"), withDestinationPath: "elsewhere/real")
    let writer = ground.writer(.init(file: ground.path("log"), maximumBytes: 4_096, backups: 1))
    for number in 0..<200 {
      writer.write(.info, label: "x", message: "\(number)")
      #expect(writer.flush())
    }
    let destination = try FileManager.default.destinationOfSymbolicLink(atPath: ground.path("log"))
    #expect(destination == "elsewhere/real")
    #expect(ground.texts("log").last == "199")
    let kept = ground.texts("elsewhere/real.1") + ground.texts("elsewhere/real")
    #expect(kept == ((200 - kept.count)..<200).map(String.init))
    #expect(!ground.lines("elsewhere/real.1").isEmpty)
    #expect(!FileManager.default.fileExists(atPath: ground.path("log.1")))
  }

  @Test(
    "Moonraker reads the log in a folder of its user's, rotated or not",
    .enabled(if: geteuid() == 0))
  func readableByFolderOwner() throws {
    let ground = try Ground()
    for folder in [ground.folder.path, ground.path("logs")] {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
      chmod(folder, 0o777)
    }
    #expect(chown(ground.path("logs"), 1_234, 1_234) == 0)
    // As another user who may write there, with the umask of our unit.
    let before = umask(0o077)
    let writer = ground.writer(
      .init(file: ground.path("logs/log"), maximumBytes: 4_096, backups: 1))
    for number in 0..<200 { writer.write(.info, label: "x", message: "\(number)") }
    #expect(writer.flush())
    umask(before)
    for name in ["logs/log", "logs/log.1"] {
      var information = stat()
      #expect(stat(ground.path(name), &information) == 0)
      let isItsOwn = information.st_uid == 1_234 && information.st_mode & 0o400 != 0
      #expect(isItsOwn || information.st_mode & 0o004 != 0, "\(name)")
    }
  }

  @Test("Many writers at a time lose nothing and mix no lines")
  func concurrentWriters() async throws {
    let ground = try Ground()
    let writer = ground.writer(.init(file: ground.path("log"), maximumBytes: 8_192, backups: 100))
    await withTaskGroup(of: Void.self) { group in
      for label in 0..<8 {
        group.addTask {
          for number in 0..<100 {
            writer.write(.info, label: "x", message: "\(label)-\(number)")
          }
        }
      }
    }
    #expect(writer.flush(within: .seconds(10)))
    let all = try FileManager.default.contentsOfDirectory(atPath: ground.folder.path)
      .filter { $0.hasPrefix("log") }.flatMap { ground.texts($0) }
    #expect(all.count == 800)
    #expect(Set(all).count == 800)
  }
}
