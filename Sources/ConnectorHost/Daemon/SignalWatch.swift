internal import Dispatch
internal import Glibc

/// Turns the process's signals into a stream: SIGTERM and SIGINT end the daemon, SIGHUP reloads.
///
/// A second SIGTERM or SIGINT ends the process at once, and so does a stop that takes too long.
@safe
final class SignalWatch: @unchecked Sendable {
  // @unchecked: `sources` is written in `init` only; `isEnding` on `queue` only.

  /// What the daemon is asked to do.
  enum Request: Sendable {
    /// End within three seconds.
    case end
    /// Read the configuration again, whether it changed or not.
    case reload
    /// The configuration file may have changed.
    case fileChanged
    /// A person at the running daemon wants it read again, and takes over what waits for that.
    case reloadFor(person: String, accepting: Acceptance, done: ReloadAnswer)
    /// A person at the running daemon changes a single entry.
    case change(EntryChange, done: ReloadAnswer)
  }

  /// The time from the first request to end to the end of the process, whatever hangs.
  private static let lastResort = DispatchTimeInterval.milliseconds(2_900)

  /// The requests, in order; for one reader.
  let requests: AsyncStream<Request>
  private let continuation: AsyncStream<Request>.Continuation
  private let queue = DispatchQueue(label: "signals")
  private var sources: [any DispatchSourceSignal] = []
  private var isEnding = false

  /// Takes the signals over from their default actions.
  init() {
    let (requests, continuation) = AsyncStream.makeStream(of: Request.self)
    self.requests = requests
    self.continuation = continuation
    // A client that leaves in mid-answer is an error of one write, not the end of the daemon.
    signal(SIGPIPE, SIG_IGN)
    // The file is read after this, so one that comes too early is no loss.
    signal(SIGHUP, SIG_IGN)
    let isWatching = DispatchSemaphore(value: 0)
    for number in [SIGTERM, SIGINT, SIGHUP] {
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { [weak self] in
        if number == SIGHUP {
          continuation.yield(.reload)
        } else {
          self?.end()
        }
      }
      source.setRegistrationHandler { isWatching.signal() }
      source.activate()
      sources.append(source)
    }
    // Dispatch takes a signal over on a thread of its own. Until then SIGTERM ends the process, which has begun nothing;
    // if it were ignored meanwhile, it would be lost.
    for _ in sources { _ = isWatching.wait(timeout: .now() + 1) }
  }

  deinit { for source in sources { source.cancel() } }

  /// Asks for something, after what was asked before. Safe from any thread.
  func ask(_ request: Request) { continuation.yield(request) }

  /// Says that the configuration file may have changed. Safe from any thread.
  func noteFileChange() { continuation.yield(.fileChanged) }

  private func end() {
    guard !isEnding else { _exit(1) }
    isEnding = true
    continuation.yield(.end)
    // Not on the cooperative pool: it must come even when a backend blocks that.
    queue.asyncAfter(deadline: .now() + Self.lastResort) {
      Console.complain("printer-uplink: the stop took too long; leaving what still runs")
      _exit(1)
    }
  }
}
