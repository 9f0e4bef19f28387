/// Lines on their way to the writer, bounded in number and bytes.
struct LogMailbox: Sendable {
  private static let lineLimit = 2_000
  private static let byteLimit = 512 << 10

  private var lines: [LogLine] = []
  private var bytes = 0
  private var lost: Int = 0

  /// Puts a line in, or counts it as lost where there is no room.
  ///
  /// - Returns: whether the writer has to be woken.
  mutating func put(_ line: LogLine) -> Bool {
    let size = line.message.utf8.count
    guard lines.count < Self.lineLimit, bytes + size <= Self.byteLimit else {
      lost += 1
      return false
    }
    bytes += size
    lines.append(line)
    return lines.count == 1
  }

  /// All lines in order, and how many were lost after them.
  mutating func takeAll() -> (lines: [LogLine], lost: Int) {
    defer { self = LogMailbox() }
    return (lines, lost)
  }
}
