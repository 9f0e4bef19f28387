package import Platform

/// What a macro of the owner's says to the clouds: one clean line.
///
/// A connector whose far side has a place where people read a text shows it there for a while, and says so in
/// ``ConnectorDescriptor/messages``; the others show nothing.
package struct PrinterMessage: Sendable, Hashable {
  /// So many are kept.
  package static let most = 10
  /// The most characters of one.
  package static let length = 200

  /// Counts the messages since the start, from 1.
  package var number: UInt64
  /// When it was said.
  package var at: MonotonicInstant
  /// When it was said, for stamps.
  package var wallTime: WallTime
  /// The line: no control characters, at most ``length`` characters, not empty.
  package var text: String

  /// A message.
  package init(number: UInt64, at: MonotonicInstant, wallTime: WallTime, text: String) {
    self.number = number
    self.at = at
    self.wallTime = wallTime
    self.text = text
  }
}

extension PrinterStatus {
  /// The messages that are not older than `age`, oldest first.
  package func messages(notOlderThan age: Duration, at now: MonotonicInstant) -> [PrinterMessage] {
    messages.filter { $0.at.duration(to: now) <= age }
  }
}
