internal import ConnectorKit
internal import Platform

/// `printer-uplink audit`: what the clouds wanted, and what came of it; reads the file, with or without a daemon.
struct AuditCommand {
  /// How to print.
  struct Options: Equatable {
    var follows = false
    var isJSON = false
  }
  /// How long to wait between two looks at the file.
  static let period = Duration.milliseconds(500)

  /// Where to write.
  let terminal: Terminal
  let options: Options
  let time: any TimeSource

  /// Prints the audit of the state directory at `folder`; with `follows`, until the task is cancelled.
  ///
  /// - Returns: 0, or 1 where the file cannot be read.
  func run(stateDirectory folder: String) async -> Int32 {
    let path = "\(folder)/\(AuditLog.fileName)"
    var reader = AuditReader(path: path)
    do {
      let lines = try reader.all()
      if lines.isEmpty {
        terminal.complain("\(Product.name): no command has been audited yet (\(path))")
      }
      show(lines)
      while options.follows {
        try await time.sleep(for: Self.period)
        show(try reader.new())
      }
      return 0
    } catch is CancellationError {
      return 0
    } catch {
      terminal.complain("\(Product.name): \(error)")
      return 1
    }
  }

  private func show(_ lines: [[UInt8]]) {
    for bytes in lines {
      let line = AuditLine(bytes)
      if options.isJSON {
        if line != .unreadable { terminal.say(line.text, terminator: "") }
      } else {
        terminal.say(Self.text(line))
      }
    }
  }

  /// The line for people.
  static func text(_ line: AuditLine) -> String {
    switch line {
    case .unreadable: return "(a line that cannot be read)"
    case .missing(let count, let at):
      return "\(at.localStamp)  (\(count) records before this could not be written)"
    case .record(let record):
      let why = record.outcome.explanation
      let parts = [
        record.at.localStamp, record.backend, record.action,
        record.outcome.status.words + (why.isEmpty ? "" : ": \(why)"),
        "(\(AuditRecord.milliseconds(record.latency)) ms\(record.outcome.isRepeat ? ", came again" : ""))",
      ]
      return parts.map(\.onOneLine).joined(separator: "  ")
    }
  }
}
