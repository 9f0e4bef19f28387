internal import ConnectorKit
internal import Platform
internal import SocketIO

/// Tells the gate when the cloud was there: from the gaps it judges how late a command may be.
///
/// The cloud may hand out what has waited while we were away right behind the greeting: that belongs to the greeting's
/// contact.
struct Contacts {
  private let context: BackendContext
  private var first: CommandContact?
  private var greetedAt: MonotonicInstant?
  private var last: MonotonicInstant?

  init(context: BackendContext) { self.context = context }

  /// The contact in which an event came; nil before the greeting: nothing that waits for us comes on such a connection.
  mutating func heard(_ event: CloudEvent, at now: MonotonicInstant) -> CommandContact? {
    // A second greeting on one connection is none.
    if case .greeted = event, greetedAt == nil { greetedAt = now }
    guard let greetedAt else { return nil }
    last = now
    guard greetedAt.duration(to: now) < SessionLoop.backlog else {
      return context.commands.contact()
    }
    let contact = context.commands.contact(continuing: first)
    first = first ?? contact
    return contact
  }

  /// A connection on which pings come is contact too.
  mutating func lives(_ heardAt: MonotonicInstant?, at now: MonotonicInstant) {
    guard let heardAt, let last, let greetedAt,
      greetedAt.duration(to: now) >= SessionLoop.backlog,
      heardAt > last
    else { return }
    self.last = now
    _ = context.commands.contact()
  }

  /// The connection has ended.
  mutating func disconnected() {
    first = nil
    greetedAt = nil
  }
}
