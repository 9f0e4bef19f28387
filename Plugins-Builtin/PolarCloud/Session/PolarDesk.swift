internal import ConnectorKit
internal import Platform

/// What the session shows to the page, and what the page wants of it. Safe from any thread.
final class PolarDesk: Sendable {
  /// How the connection stands.
  struct Standing: Sendable, Hashable {
    var isRunning = false
    var isConnected = false
    var isAuthenticated = false
    var updatedAt: WallTime?
  }
  private struct State {
    var standing = Standing()
    var mailbox: AsyncStream<SessionLoop.Letter>.Continuation?
    var wishes = 0
  }
  private let state = Guarded(State())

  /// A desk of nobody yet.
  init() {}

  /// How the connection stands.
  var standing: Standing { state.withLock { $0.standing } }

  /// How often a person has changed what a session goes by.
  var wishes: Int { state.withLock { $0.wishes } }

  /// A session begins: letters go there.
  func open(_ mailbox: AsyncStream<SessionLoop.Letter>.Continuation) {
    state.withLock {
      $0.mailbox = mailbox
      $0.standing.isRunning = true
    }
  }

  /// It has ended.
  func close() { state.withLock { $0 = State(wishes: $0.wishes) } }

  /// The session has moved on.
  func show(_ phase: PolarSession.Phase, at now: WallTime) {
    state.withLock { state in
      var new = state.standing
      switch phase {
      case .waiting, .connecting, .leaving: (new.isConnected, new.isAuthenticated) = (false, false)
      case .welcoming, .registering, .keeping, .greeting:
        (new.isConnected, new.isAuthenticated) = (true, false)
      case .online, .unregistering: (new.isConnected, new.isAuthenticated) = (true, true)
      }
      if new != state.standing { new.updatedAt = now }
      state.standing = new
    }
  }

  /// Tells the session that it begins anew with what the record says now.
  func reconfigure() {
    let mailbox = state.withLock { state in
      state.wishes += 1
      return state.mailbox
    }
    mailbox?.yield(.reconfigured)
  }

  /// Tells the session to give the printer back.
  ///
  /// - Returns: false where none runs.
  func unregister() -> Bool {
    guard let mailbox = state.withLock({ $0.mailbox }) else { return false }
    mailbox.yield(.session(.unregister))
    return true
  }
}
