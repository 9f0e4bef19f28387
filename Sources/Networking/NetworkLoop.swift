internal import CCurl
internal import Glibc

/// The network thread's inside: one libcurl multi handle and the activities on it.
///
/// Confined to its thread. It sleeps until a socket is ready, a command comes or something is due:
/// an idle loop does not wake.
@safe final class NetworkLoop {
  private let multi: UnsafeMutableRawPointer
  private let mailbox: Mailbox
  private var activities: [ObjectIdentifier: any Activity] = [:]
  private var transfers: [UnsafeMutableRawPointer: any Activity] = unsafe [:]
  private var isStopping = false

  /// Takes ownership of `multi`.
  init(multi: UnsafeMutableRawPointer, mailbox: Mailbox) {
    unsafe self.multi = unsafe multi
    self.mailbox = mailbox
  }

  /// Runs until it is told to stop, then ends every activity.
  func run() {
    while true {
      for command in mailbox.take() { obey(command) }
      if isStopping { break }
      perform()
      passDeadlines()
      wait()
    }
    for command in mailbox.close() {
      if case .begin(let activity) = command { activity.end(with: .cancelled, on: nil) }
    }
    // A pool must outlive the transfers that use its connections.
    let rest = Array(activities.values)
    for activity in rest where !(activity is ConnectionPool) {
      activity.end(with: .cancelled, on: self)
    }
    for activity in rest where activity is ConnectionPool {
      activity.end(with: .cancelled, on: self)
    }
    unsafe curl_multi_cleanup(multi)
  }

  /// Keeps `activity` until `forget`.
  func keep(_ activity: any Activity) { activities[ObjectIdentifier(activity)] = activity }

  /// Lets `activity` go; it has finished.
  func forget(_ activity: any Activity) { activities[ObjectIdentifier(activity)] = nil }

  /// Starts a transfer of `activity`.
  func start(_ easy: EasyHandle, of activity: any Activity) -> Bool {
    guard unsafe curl_multi_add_handle(multi, easy.pointer) == CURLM_OK else { return false }
    unsafe transfers[easy.pointer] = activity
    return true
  }

  /// Takes a transfer away again; an unfinished one is cut off.
  func remove(_ easy: EasyHandle) {
    guard unsafe transfers.removeValue(forKey: easy.pointer) != nil else { return }
    unsafe curl_multi_remove_handle(multi, easy.pointer)
  }

  private func obey(_ command: NetworkCommand) {
    switch command {
    case .begin(let activity):
      keep(activity)
      activity.begin(on: self)
    case .end(let activity, let error):
      if activities[ObjectIdentifier(activity)] != nil { activity.end(with: error, on: self) }
    case .look(let activity):
      if activities[ObjectIdentifier(activity)] != nil { activity.look(on: self) }
    case .stop: isStopping = true
    }
  }

  private func perform() {
    guard unsafe !transfers.isEmpty else { return }
    var running: Int32 = 0
    unsafe curl_multi_perform(multi, &running)
    var waiting: Int32 = 0
    while let message = unsafe curl_multi_info_read(multi, &waiting) {
      guard unsafe message.pointee.msg == CURLMSG_DONE,
        let easy = unsafe message.pointee.easy_handle
      else { continue }
      let result = unsafe CurlResult(curl_shim_message_result(message))
      unsafe transfers[easy]?.transferEnded(result, on: self)
    }
  }

  private func passDeadlines() {
    let now = ContinuousClock.now
    for activity in Array(activities.values) {
      if let deadline = activity.deadline, deadline <= now {
        activity.deadlinePassed(now: now, on: self)
      }
    }
  }

  private func wait() {
    var sockets: [curl_waitfd] = []
    var owners: [any Activity] = []
    var earliest: ContinuousClock.Instant?
    for activity in activities.values {
      if let deadline = activity.deadline { earliest = min(earliest ?? deadline, deadline) }
      guard let socket = activity.watched else { continue }
      // With no event asked for, poll() still tells of a hang-up, again and again: leave the socket out.
      guard socket.forReading || socket.forWriting else { continue }
      let events =
        (socket.forReading ? CURL_WAIT_POLLIN : 0) | (socket.forWriting ? CURL_WAIT_POLLOUT : 0)
      sockets.append(
        curl_waitfd(fd: socket.descriptor, events: Int16(truncatingIfNeeded: events), revents: 0))
      owners.append(activity)
    }
    // libcurl shortens this to what its own transfers need.
    let longest = earliest.map { ContinuousClock.now.duration(to: $0).wholeMilliseconds }
    let result = unsafe curl_multi_poll(
      multi, &sockets, UInt32(sockets.count), longest ?? Int32.max, nil)
    // Out of memory or descriptors: rather slow than spinning.
    if result != CURLM_OK { usleep(10_000) }
    for (socket, owner) in zip(sockets, owners) where socket.revents != 0 {
      owner.socketReady(on: self)
    }
  }
}

extension Duration {
  /// Whole milliseconds, rounded up, 0 … `Int32.max`: what libcurl's timeouts take.
  var wholeMilliseconds: Int32 {
    let (seconds, attoseconds) = components
    if seconds < 0 || (seconds == 0 && attoseconds <= 0) { return 0 }
    if seconds >= Int64(Int32.max) / 1_000 { return Int32.max }
    let roundedUp = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return Int32(clamping: seconds * 1_000 + roundedUp)
  }
}
