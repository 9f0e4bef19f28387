internal import ConnectorKit
internal import Dispatch
internal import JSON
internal import Platform

/// The audit: `audit.jsonl` in the state directory, 0600, one JSON object per line, appended and never changed.
///
/// Written on a queue of its own, so that a slow disk holds up nobody; what cannot be written is counted, said once in
/// the log and, as soon as the disk takes lines again, in the audit itself. Safe from any thread.
final class AuditLog: AuditSink {
  /// The file's name in the state directory.
  static let fileName = "audit.jsonl"
  /// The size at which it is rotated, in bytes.
  static let maximumBytes = 4 << 20
  /// How many rotated files are kept.
  static let backups = 2

  /// What is missing in the file.
  struct Standing: Sendable, Hashable {
    /// How many records could not be written since the start.
    var lost = 0
    /// Why nothing can be written; nil where all is well.
    var problem: String?
  }

  private let mailbox = Guarded(AuditMailbox())
  private let current = Guarded(Standing())
  /// Reached from `queue` only; the lock never makes anybody wait.
  private let output: Guarded<Output>
  // A serial queue has threads beside the cooperative pool.
  private let queue = DispatchQueue(label: "audit")
  private let log: Log
  private let time: any TimeSource
  /// Where it stands.
  let path: String

  private struct Output {
    var file: LogFile
    /// Lost, and not yet said in the file.
    var missing = 0
  }

  /// The audit of `directory`; nothing is opened before the first record.
  ///
  /// - Parameters:
  ///   - log: where a disk that takes nothing is said once.
  ///   - maximumBytes: the size at which the file is rotated.
  init(
    directory: StateDirectory, log: Log, time: any TimeSource,
    maximumBytes: Int = AuditLog.maximumBytes
  ) {
    self.log = log
    self.time = time
    path = directory.path(of: Self.fileName)
    output = Guarded(
      Output(
        file: LogFile(
          path: path, maximumBytes: maximumBytes,
          backups: Self.backups, mode: 0o600)))
  }

  /// What is missing in the file.
  var standing: Standing { current.withLock { $0 } }

  func write(_ record: AuditRecord) {
    let mustWake = mailbox.withLock { $0.put(record) }
    if mustWake { queue.async { self.drain() } }
  }

  /// Waits until all that was written before is in the file; false when that takes longer than `limit`.
  ///
  /// Blocks; not for the cooperative pool, except where the process ends anyway.
  @discardableResult
  func flush(within limit: Duration = .seconds(1)) -> Bool {
    let isDone = DispatchSemaphore(value: 0)
    queue.async {
      self.drain()
      isDone.signal()
    }
    let milliseconds = max(0, min(AuditRecord.milliseconds(limit), 3_600_000))
    return isDone.wait(timeout: .now() + .milliseconds(Int(milliseconds))) == .success
  }

  private func drain() {
    let (records, lost) = mailbox.withLock { $0.takeAll() }
    guard !records.isEmpty else { return }
    output.withLock { output in
      let gap = output.missing > 0 ? [AuditLine.missing(output.missing, at: time.wallTime)] : []
      do throws(PlatformError) {
        try output.file.append((gap + records.map(AuditLine.record)).map(\.text))
        output.missing = lost
        note(lost: lost, problem: nil)
      } catch {
        output.missing += records.count + lost
        note(lost: records.count + lost, problem: "\(error)")
      }
    }
  }

  private func note(lost: Int, problem: String?) {
    let former = current.withLock { current in
      defer {
        current.lost += lost
        current.problem = problem
      }
      return current
    }
    if let problem, former.problem == nil {
      log(.error, "\(problem); commands go on, their audit is missing until that is mended")
    } else if problem == nil, former.problem != nil {
      log(.warning, "the audit is written again; \(former.lost + lost) records are missing in it")
    }
  }
}
