internal import CPlatform
internal import Glibc

/// The signals that the daemon acts on, as a sequence. One per process; one reader.
///
/// A handler writes the signal's number into a pipe, so it does not matter which thread the system picks.
package final class Signals: AsyncSequence, Sendable {
  /// A signal that the daemon acts on.
  package enum Signal: Sendable, Hashable, CaseIterable {
    /// End (the service manager).
    case terminate
    /// End (Ctrl-C).
    case interrupt
    /// Read the configuration again.
    case hangUp

    var number: Int32 {
      switch self {
      case .terminate: SIGTERM
      case .interrupt: SIGINT
      case .hangUp: SIGHUP
      }
    }
  }

  private let signals: [Signal]
  private let stream: AsyncStream<Signal>
  private let writing: Int32

  /// Catches `signals` from now on, and ignores `SIGPIPE` (a peer that left is an error of `write`).
  ///
  /// - Throws: `PlatformError` when no pipe can be made.
  package init(_ signals: [Signal] = Signal.allCases) throws(PlatformError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe platform_pipe(&ends) == 0 else { throw .current("make", "the pipe for signals") }
    let reading = ends[0]
    writing = ends[1]
    let (stream, continuation) = AsyncStream<Signal>.makeStream(
      bufferingPolicy: .bufferingNewest(64))
    self.signals = signals
    self.stream = stream
    startThread(named: "signals") {
      var byte: UInt8 = 0
      while retrying({ unsafe Glibc.read(reading, &byte, 1) }) == 1 && byte != 0 {
        if let signal = Signal.allCases.first(where: { $0.number == Int32(byte) }) {
          continuation.yield(signal)
        }
      }
      continuation.finish()
      close(reading)
    }
    for signal in signals { platform_signal_catch(signal.number, writing) }
    Signals.ignoreBrokenPipes()
  }

  deinit {
    for signal in signals { platform_signal_default(signal.number) }
    // Zero ends the reader. The writing end stays open: a handler may still be running on another thread.
    var end: UInt8 = 0
    _ = unsafe write(writing, &end, 1)
  }

  /// Makes writing to a peer that left an error instead of the process's end.
  package static func ignoreBrokenPipes() { platform_signal_ignore(SIGPIPE) }

  /// Iterates the signals as they come; ends when the task is cancelled.
  package func makeAsyncIterator() -> AsyncStream<Signal>.Iterator { stream.makeAsyncIterator() }
}
