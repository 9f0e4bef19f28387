internal import ConnectorKit
internal import Platform

/// Console and file, and what there is to say about one that takes no lines.
struct LogOutputs {
  private var console: LogConsole
  /// The file; nil: console only.
  var file: LogFile? {
    didSet { problem = nil }
  }
  private var problem: String?
  private var missingOnConsole = 0
  private var missingInFile = 0

  init(console: LogConsole, file: LogFile?) {
    self.console = console
    self.file = file
  }

  /// Writes the lines to both; never fails: that the file takes none is said once on the console.
  mutating func write(_ lines: [LogLine]) {
    guard let last = lines.last else { return }
    writeToConsole(lines)
    writeToFile(lines, at: last.time)
  }

  /// So many lines never came here: both say so where they would stand.
  mutating func lose(_ count: Int, at time: WallTime) {
    missingOnConsole += count
    missingInFile += count
    settleConsole(at: time)
    writeToFile([], at: time)
  }

  private mutating func writeToConsole(_ lines: [LogLine]) {
    for line in lines {
      settleConsole(at: line.time)
      if !console.write(line) { missingOnConsole += 1 }
    }
  }

  private mutating func settleConsole(at time: WallTime) {
    guard missingOnConsole > 0, console.write(missing(missingOnConsole, at: time)) else { return }
    missingOnConsole = 0
  }

  private mutating func writeToFile(_ lines: [LogLine], at time: WallTime) {
    guard let file else { return }
    let notes = missingInFile > 0 ? [missing(missingInFile, at: time)] : []
    do throws(PlatformError) {
      try file.append((notes + lines).map(\.plain))
      if problem != nil {
        writeToConsole([note(.info, "the log file takes lines again", at: time)])
      }
      problem = nil
      missingInFile = 0
    } catch {
      missingInFile += lines.count
      let text = "\(error)"
      guard text != problem else { return }
      problem = text
      writeToConsole([
        note(.warning, "\(text); the log goes on here, and there once that is mended", at: time)
      ])
    }
  }

  private func missing(_ count: Int, at time: WallTime) -> LogLine {
    note(.warning, "\(count) lines are missing here: they could not be written", at: time)
  }

  private func note(_ level: LogLevel, _ message: String, at time: WallTime) -> LogLine {
    LogLine(time: time, level: level, label: "log", message: message)
  }
}
