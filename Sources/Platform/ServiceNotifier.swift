internal import CPlatform
internal import Glibc

/// Tells the service manager how the daemon stands, by its documented datagram; does nothing without one.
///
/// The environment's `NOTIFY_SOCKET` names the socket: a path, or `@name` in the abstract namespace.
package struct ServiceNotifier: Sendable {
  /// What can be said.
  package enum Message: Sendable, Hashable {
    /// The start is over.
    case ready
    /// A reload has begun, at this moment of `CLOCK_MONOTONIC`.
    case reloading
    /// The end has begun.
    case stopping
    /// The daemon is alive.
    case watchdog
    /// One line for `systemctl status`.
    case status(String)
  }

  private let path: String?

  /// How often the service manager wants a ``Message/watchdog``: half of what it allows; nil when it wants none.
  package let watchdogInterval: Duration?

  /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
  ///
  /// - Parameter environment: the process's variables.
  package init(environment: [String: String]) {
    let socket = environment["NOTIFY_SOCKET"] ?? ""
    path = socket.hasPrefix("/") || socket.hasPrefix("@") && socket.count > 1 ? socket : nil
    let isForUs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
    let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
    watchdogInterval =
      isForUs && microseconds > 0 && path != nil ? .microseconds(microseconds / 2) : nil
  }

  /// Sends one datagram. Never blocks; a failure changes nothing for us and is reported by the result alone.
  ///
  /// - Returns: whether it was sent.
  @discardableResult
  package func send(_ message: Message) -> Bool {
    guard let path else { return false }
    let kind =
      Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
      | Int32(SOCK_NONBLOCK.rawValue)
    let number = socket(AF_UNIX, kind, 0)
    guard number >= 0 else { return false }
    let socket = FileDescriptor(owning: number)
    let text = Array(message.text.utf8)
    let sent = retrying {
      unsafe platform_send_to_unix(socket.number, path, path.utf8.count, text, text.count)
    }
    return sent == text.count
  }
}

extension ServiceNotifier.Message {
  /// The datagram's text.
  var text: String {
    switch self {
    case .ready: return "READY=1"
    case .reloading:
      var time = timespec()
      unsafe clock_gettime(CLOCK_MONOTONIC, &time)
      let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
      return "RELOADING=1\nMONOTONIC_USEC=\(microseconds)"
    case .stopping: return "STOPPING=1"
    case .watchdog: return "WATCHDOG=1"
    case .status(let line):
      return "STATUS=\(String(line.map { $0.isNewline ? " " : $0 }))"
    }
  }
}
