internal import Glibc

/// The console, or whatever standard error leads to.
struct LogConsole: Sendable {
  /// How a line looks there.
  enum Style: Sendable, Hashable {
    /// Stamp, level, label, text.
    case plain
    /// The same with colours.
    case coloured
    /// A priority for journald, which has its own stamps.
    case journal
  }
  /// An open descriptor; whoever made the console closes it.
  var descriptor: Int32
  /// How a line looks there.
  var style: Style
  private var isTaking = true
  private var isTorn = false

  /// A console at an open descriptor.
  init(descriptor: Int32, style: Style) {
    self.descriptor = descriptor
    self.style = style
  }

  /// Standard error in the style that fits what it leads to.
  static func standardError() -> LogConsole {
    let descriptor = STDERR_FILENO
    let style = style(
      isTerminal: isatty(descriptor) == 1, identity: identity(of: descriptor),
      journalStream: variable("JOURNAL_STREAM"), noColor: variable("NO_COLOR"),
      terminal: variable("TERM"))
    return LogConsole(descriptor: descriptor, style: style)
  }

  /// The style for what a descriptor leads to and what the environment says.
  ///
  /// - Parameters:
  ///   - identity: device and inode as `device:inode`; `JOURNAL_STREAM` holds the journal's, and is inherited by
  ///     programs whose output has long been led elsewhere.
  ///   - noColor: the value of `NO_COLOR`: anything but an empty one forbids colours.
  static func style(
    isTerminal: Bool, identity: String?, journalStream: String?, noColor: String?,
    terminal: String?
  ) -> Style {
    if let journalStream, !journalStream.isEmpty, journalStream == identity { return .journal }
    guard isTerminal, noColor ?? "" == "", terminal != "dumb" else { return .plain }
    return .coloured
  }

  /// Writes a line, with one call where it is short.
  ///
  /// A console that takes nothing for a second (a pipe that nobody reads, a terminal that was stopped) is only asked,
  /// not waited for, until it takes lines again: the file must not wait for it.
  ///
  /// - Returns: whether it took the line.
  mutating func write(_ line: LogLine) -> Bool {
    let text =
      switch style {
      case .plain: line.plain
      case .coloured: line.coloured
      case .journal: line.journal
      }
    var rest = Array(((isTorn ? "\n" : "") + text).utf8)[...]
    let length = rest.count
    while !rest.isEmpty {
      isTaking = isWritable(withinMilliseconds: isTaking ? 1_000 : 0)
      guard isTaking else { break }
      // A pipe that is ready takes this much without waiting.
      let count = unsafe rest.prefix(Int(PIPE_BUF)).withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      guard count > 0 || errno == EINTR || errno == EAGAIN else { break }
      rest = rest.dropFirst(max(0, count))
    }
    if rest.count < length { isTorn = !rest.isEmpty }
    return rest.isEmpty
  }

  private func isWritable(withinMilliseconds limit: Int32) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return unsafe Glibc.poll(&poll, 1, limit) == 1
  }

  private static func identity(of descriptor: Int32) -> String? {
    var information = stat()
    guard unsafe fstat(descriptor, &information) == 0 else { return nil }
    return "\(information.st_dev):\(information.st_ino)"
  }

  private static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
