internal import CAvahi
internal import Glibc
internal import Platform

/// One advertisement: the loop of the Avahi library with its handles, all on the one thread that runs ``serve()``.
///
/// The library's callbacks only note what happened; it is acted on when they have returned, since a handle must not be
/// freed below its own callback.
@safe
final class AvahiSession: @unchecked Sendable {
  // @unchecked: `waker` and `isEnding` are for any thread; everything else is the serving thread's.
  private let library: AvahiLibrary
  private let service: DiscoverableService
  private let report: @Sendable (AdvertisementState) -> Void
  private let waker: Int32
  private let isEnding = Guarded(false)

  private var machine: AdvertisingMachine
  private var events: [AdvertisingMachine.Event] = []
  private var poll: OpaquePointer?
  private var client: OpaquePointer?
  private var group: OpaquePointer?
  private var due: MonotonicInstant?
  private var failure: AdvertisingFailure?

  /// A session that does nothing yet.
  init(
    _ service: DiscoverableService, library: AvahiLibrary,
    report: @escaping @Sendable (AdvertisementState) -> Void
  ) {
    self.library = library
    self.service = service
    self.report = report
    machine = AdvertisingMachine(instance: service.instance)
    waker = avahi_shim_waker()
  }

  deinit { if waker >= 0 { close(waker) } }

  /// Ends ``serve()`` soon. Safe from any thread.
  func end() {
    isEnding.withLock { $0 = true }
    if waker >= 0 { avahi_shim_wake(waker) }
  }

  /// Shows the service until ``end()``; blocks its thread. The service has been withdrawn when this returns.
  ///
  /// - Returns: why it ended by itself, else nil.
  func serve() -> AdvertisingFailure? {
    guard waker >= 0, let poll = unsafe avahi_shim_simple_poll_new(functions) else {
      return AdvertisingFailure(
        .refused, "the system has no descriptor left for the Avahi library",
        remedy: "restart the daemon")
    }
    unsafe self.poll = poll
    let loop = unsafe avahi_shim_simple_poll_get(functions, poll)
    // Freed with the loop.
    _ = unsafe avahi_shim_watch(loop, waker)
    events = [.due]
    while !isEnding.withLock({ $0 }) {
      act()
      guard failure == nil else { break }
      guard unsafe avahi_shim_simple_poll_iterate(functions, poll, patience) == 0 else {
        events.append(.client(.lost(AvahiProblem(kind: .other, words: "its loop ended"))))
        // Whatever broke the loop, it shall not be spun.
        sleep(1)
        continue
      }
      if let due, SystemTime.shared.now >= due {
        self.due = nil
        events.append(.due)
      }
    }
    disconnect()
    unsafe avahi_shim_simple_poll_free(functions, poll)
    unsafe self.poll = nil
    return failure
  }

  // MARK: - What the library's callbacks note

  /// Notes a state of the connection.
  func note(_ state: AvahiClientState, _ client: OpaquePointer?) {
    switch state {
    case AVAHI_CLIENT_CONNECTING: events.append(.client(.connecting))
    case AVAHI_CLIENT_S_REGISTERING: events.append(.client(.registering))
    case AVAHI_CLIENT_S_RUNNING: events.append(.client(.running))
    case AVAHI_CLIENT_S_COLLISION: events.append(.client(.hostNameTaken))
    default:
      let number = unsafe client.map { unsafe avahi_shim_client_errno(functions, $0) } ?? 0
      events.append(.client(.lost(library.problem(number))))
    }
  }

  /// Notes a state of the service.
  func note(_ state: AvahiEntryGroupState) {
    switch state {
    case AVAHI_ENTRY_GROUP_REGISTERING: events.append(.group(.registering))
    case AVAHI_ENTRY_GROUP_ESTABLISHED: events.append(.group(.established))
    case AVAHI_ENTRY_GROUP_COLLISION: events.append(.group(.nameTaken))
    case AVAHI_ENTRY_GROUP_FAILURE: events.append(.group(.failed(clientProblem)))
    default: break
    }
  }

  // MARK: - What the machine wants

  private var functions: UnsafePointer<avahi_shim_functions> { unsafe library.functions }

  private var clientProblem: AvahiProblem {
    guard let client = unsafe client else {
      return AvahiProblem(kind: .other, words: "no connection")
    }
    return library.problem(unsafe avahi_shim_client_errno(functions, client))
  }

  /// Acts on all that has been noted, and on what that brings.
  private func act() {
    while !events.isEmpty, failure == nil {
      let event = events.removeFirst()
      for action in machine.handle(event) { perform(action) }
    }
  }

  private func perform(_ action: AdvertisingMachine.Action) {
    switch action {
    case .connect: connect()
    case .disconnect: disconnect()
    case .register:
      if let problem = register() { events.append(.group(.failed(problem))) }
    case .withdraw:
      if let group = unsafe group { unsafe _ = avahi_shim_entry_group_reset(functions, group) }
    case .wait(let delay): due = SystemTime.shared.now.advanced(by: delay)
    case .report(let state): report(state)
    case .fail(let failure): self.failure = failure
    }
  }

  private func connect() {
    guard let poll = unsafe poll, unsafe client == nil else { return }
    var number: Int32 = 0
    unsafe client = avahi_shim_client_new(
      functions, avahi_shim_simple_poll_get(functions, poll), AVAHI_CLIENT_NO_FAIL, clientChanged,
      Unmanaged.passUnretained(self).toOpaque(), &number)
    guard unsafe client == nil else { return }
    // States that came while it was being made are of a connection that is none.
    events = [.noClient(library.problem(number))]
  }

  /// Frees the connection and its entry group; what was noted of them no longer counts.
  private func disconnect() {
    if let client = unsafe client { unsafe avahi_shim_client_free(functions, client) }
    unsafe client = nil
    unsafe group = nil
    events = []
  }

  private func register() -> AvahiProblem? {
    guard let client = unsafe client else { return nil }
    if unsafe group == nil {
      unsafe group = avahi_shim_entry_group_new(
        functions, client, groupChanged, Unmanaged.passUnretained(self).toOpaque())
    } else {
      unsafe _ = avahi_shim_entry_group_reset(functions, group)
    }
    guard let group = unsafe group else { return clientProblem }
    guard let text = unsafe textRecord() else {
      return AvahiProblem(kind: .other, words: "no memory")
    }
    defer { unsafe avahi_shim_string_list_free(functions, text) }
    let added = unsafe avahi_shim_add_service(
      functions, group, service.instance, service.type, service.port, text)
    guard added == 0 else { return library.problem(added) }
    let committed = unsafe avahi_shim_entry_group_commit(functions, group)
    return committed == 0 ? nil : library.problem(committed)
  }

  /// The TXT record as the library's list, for the caller to free.
  private func textRecord() -> UnsafeMutablePointer<AvahiStringList>? {
    var list: UnsafeMutablePointer<AvahiStringList>?
    // Each new entry goes in front.
    for entry in service.text.reversed() {
      let bytes = Array("\(entry.key)=\(entry.value)".utf8)
      let longer = unsafe avahi_shim_string_list_add_arbitrary(functions, list, bytes, bytes.count)
      guard let longer = unsafe longer else {
        unsafe avahi_shim_string_list_free(functions, list)
        return nil
      }
      unsafe list = longer
    }
    return unsafe list
  }

  /// How long the loop may sleep, in milliseconds; -1: until something happens.
  private var patience: Int32 {
    guard events.isEmpty else { return 0 }
    guard let due else { return -1 }
    let left = max(.zero, SystemTime.shared.now.duration(to: due))
    return Int32(
      clamping: left.components.seconds * 1_000 + left.components.attoseconds
        / 1_000_000_000_000_000 + 1)
  }
}

/// Called by the library, on the serving thread.
private func clientChanged(
  _ client: OpaquePointer?, _ state: AvahiClientState, _ session: UnsafeMutableRawPointer?
) {
  guard let session = unsafe session else { return }
  unsafe Unmanaged<AvahiSession>.fromOpaque(session).takeUnretainedValue().note(state, client)
}

/// Called by the library, on the serving thread.
private func groupChanged(
  _ group: OpaquePointer?, _ state: AvahiEntryGroupState, _ session: UnsafeMutableRawPointer?
) {
  guard let session = unsafe session else { return }
  unsafe Unmanaged<AvahiSession>.fromOpaque(session).takeUnretainedValue().note(state)
}
