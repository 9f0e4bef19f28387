package import ConnectorKit
internal import Dispatch
package import Platform

/// Writes log lines to the console and, in addition, to a file with rotation.
///
/// Levels change live, per label. Safe from any thread; a full disk or a lost file never fails the caller. Callers only
/// put a line into a bounded mailbox; a queue of its own writes, and nothing runs while there is nothing to write. What
/// comes again and again is counted instead (``LogRepetitions``), but where the label's level shows each call anyway. Call
/// ``flush(within:)`` before the process ends.
package final class LogWriter: LogSink {
  private let settings: Guarded<Settings>
  private let mailbox = Guarded(LogMailbox())
  /// Reached from `queue` only; the lock never makes anybody wait.
  private let outputs: Guarded<LogOutputs>
  /// Reached from `queue` only, as well.
  private let repetitions = Guarded(Repetitions())
  private struct Repetitions {
    var counted = LogRepetitions()
    var isAlarmSet = false
  }
  // A serial queue has threads beside the cooperative pool, so a slow disk holds up nothing but the log.
  private let queue = DispatchQueue(label: "log")
  private let time: any TimeSource

  /// A log to standard error and, where set, to a file.
  package convenience init(settings: Settings, time: any TimeSource) {
    self.init(settings: settings, time: time, console: .standardError())
  }

  /// A log to `console` and, where set, to a file.
  init(settings: Settings, time: any TimeSource, console: LogConsole) {
    self.settings = Guarded(settings)
    self.time = time
    outputs = Guarded(LogOutputs(console: console, file: LogFile(settings)))
  }

  /// Takes new settings; where those of the file have changed, it is opened anew.
  package func configure(_ settings: Settings) {
    let former = self.settings.withLock { known in
      defer { known = settings }
      return known
    }
    // What is wrong with a file has been said; a reload is no reason to say it again.
    guard
      (former.file, former.maximumBytes, former.backups)
        != (settings.file, settings.maximumBytes, settings.backups)
    else { return }
    queue.async {
      self.drain()
      self.outputs.withLock { $0.file = LogFile(settings) }
    }
  }

  package func accepts(_ level: LogLevel, label: String) -> Bool {
    settings.withLock { level >= ($0.levels[label] ?? $0.level) }
  }

  package func write(_ level: LogLevel, label: String, message: String) {
    let line = LogLine(time: time.wallTime, level: level, label: label, message: message)
    let mustWake = mailbox.withLock { $0.put(line) }
    if mustWake { queue.async { self.drain() } }
  }

  /// Waits until all that was logged before is written, also how often what was counted came.
  ///
  /// Blocks; not for the cooperative pool, except where the process ends anyway.
  ///
  /// - Parameter limit: how long to wait at most: a console that nobody reads may never take its lines.
  /// - Returns: whether all is written.
  @discardableResult
  package func flush(within limit: Duration = .seconds(1)) -> Bool {
    let isDone = DispatchSemaphore(value: 0)
    queue.async {
      self.drain(tellsAll: true)
      isDone.signal()
    }
    let (seconds, attoseconds) = limit.components
    let nanoseconds = min(seconds, 3_600) * 1_000_000_000 + attoseconds / 1_000_000_000
    return isDone.wait(timeout: .now() + .nanoseconds(Int(nanoseconds))) == .success
  }

  private func drain(tellsAll: Bool = false) {
    while true {
      let (lines, lost) = mailbox.withLock { $0.takeAll() }
      let written = withoutRepetitions(lines, tellsAll: tellsAll)
      outputs.withLock { outputs in
        outputs.write(written)
        if lost > 0 { outputs.lose(lost, at: time.wallTime) }
      }
      guard !lines.isEmpty else { return }
    }
  }

  private func withoutRepetitions(_ lines: [LogLine], tellsAll: Bool) -> [LogLine] {
    let (now, wallTime) = (time.now, time.wallTime)
    return repetitions.withLock { repetitions in
      var written = repetitions.counted.due(at: now, wallTime: wallTime)
      for line in lines
      where accepts(.debug, label: line.label) || repetitions.counted.takes(line, at: now) {
        written.append(line)
      }
      if tellsAll { written += repetitions.counted.due(at: now, wallTime: wallTime, all: true) }
      if let next = repetitions.counted.nextDue, !repetitions.isAlarmSet {
        repetitions.isAlarmSet = true
        // One wake-up in ten minutes, and only while something is held back.
        let seconds = max(1, now.duration(to: next).components.seconds + 1)
        queue.asyncAfter(deadline: .now() + .seconds(Int(clamping: seconds))) { [weak self] in
          self?.repetitions.withLock { $0.isAlarmSet = false }
          self?.drain()
        }
      }
      return written
    }
  }
}
