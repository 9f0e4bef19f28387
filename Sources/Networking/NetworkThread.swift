internal import CCurl
internal import Glibc
internal import Platform

/// The one thread that all connections run on, and the way into it.
@safe final class NetworkThread: Sendable {
  let mailbox: Mailbox
  private let unjoined: Guarded<pthread_t?>

  /// Starts the thread.
  init() throws(NetworkError) {
    guard Self.libraryStarted, let multi = unsafe curl_multi_init() else {
      throw NetworkError(.other, "libcurl cannot be started")
    }
    // The most connections that a client keeps when nothing runs on them.
    unsafe curl_shim_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 2)
    unsafe curl_shim_multi_set_long(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING)
    mailbox = unsafe Mailbox(multi: multi)
    let start = unsafe Unmanaged.passRetained(ThreadStart(multi: multi, mailbox: mailbox))
    var thread = pthread_t()
    let failure = Self.withSignalsBlocked {
      unsafe pthread_create(&thread, nil, runNetworkThread, start.toOpaque())
    }
    guard failure == 0 else {
      unsafe start.release()
      unsafe curl_multi_cleanup(multi)
      unjoined = Guarded(nil)
      throw unsafe NetworkError(
        .other, "the network thread cannot be started: \(String(cString: strerror(failure)))")
    }
    unjoined = Guarded(thread)
  }

  /// Ends every activity, then the thread, and waits for it: libcurl and OpenSSL must be idle when the process exits.
  func stop() {
    mailbox.post(.stop)
    let thread = unjoined.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let thread else { return }
    // The last reference may be dropped by the thread itself, which cannot wait for itself.
    if pthread_equal(thread, pthread_self()) != 0 {
      pthread_detach(thread)
    } else {
      pthread_join(thread, nil)
    }
  }

  deinit { stop() }

  /// libcurl's own initialisation, once per process.
  private static let libraryStarted = curl_shim_global_init() == CURLE_OK

  /// Runs `body` with all asynchronous signals blocked, for the thread it starts to inherit.
  ///
  /// SIGPIPE among them: OpenSSL writes without `MSG_NOSIGNAL`.
  private static func withSignalsBlocked(_ body: () -> Int32) -> Int32 {
    var blocked = sigset_t()
    var former = sigset_t()
    unsafe sigfillset(&blocked)
    for signal in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] {
      unsafe sigdelset(&blocked, signal)
    }
    unsafe pthread_sigmask(SIG_SETMASK, &blocked, &former)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &former, nil) }
    return body()
  }
}

/// What the new thread takes over.
@safe private final class ThreadStart {
  let multi: UnsafeMutableRawPointer
  let mailbox: Mailbox

  init(multi: UnsafeMutableRawPointer, mailbox: Mailbox) {
    unsafe self.multi = unsafe multi
    self.mailbox = mailbox
  }
}

private func runNetworkThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument = unsafe argument else { return nil }
  unsafe curl_shim_name_thread("network")
  let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
  unsafe NetworkLoop(multi: start.multi, mailbox: start.mailbox).run()
  return nil
}
