package import ConnectorKit

/// What a person may change at a running daemon, from its page or from the command line.
package protocol ControlActions: Sendable {
  /// The person says that the bed is empty.
  ///
  /// - Parameter person: who says so, for the audit and the page: `the command line`, `the page (192.168.1.7)`.
  func bedCleared(by person: String) async -> ControlResult

  /// Switches `read-only`: while it is on, no cloud does anything but look and stop in an emergency.
  ///
  /// - Parameter person: who does so, for the audit and the page.
  func setReadOnly(_ isOn: Bool, by person: String) async -> ControlResult

  /// The person has seen what reloads of the file allow that was not allowed before.
  ///
  /// - Parameters:
  ///   - number: the newest notice that the person saw; later ones stay.
  ///   - person: who says so, for the audit.
  func wideningsSeen(through number: Int64, by person: String) async -> ControlResult

  /// Switches the backend of the entry `name` on or off, beside what the file says; kept over a restart.
  func setEnabled(_ isOn: Bool, _ name: String, by person: String) async -> ControlResult

  /// Reads the configuration file again, and takes over what waits for a person there.
  ///
  /// - Parameter file: the content that the person was shown (``WaitingChanges/file``): any other is not taken over; nil:
  ///   whatever it says now.
  func reload(only file: String?, by person: String) async -> ControlResult

  /// Pairs the backend of the entry `name`, or pairs it again.
  ///
  /// - Parameter code: what the cloud gave for that; a secret.
  func pair(_ name: String, code: Secret, by person: String) async -> ControlResult

  /// Forgets the pairing of the entry `name`, and switches it off.
  func unpair(_ name: String, by person: String) async -> ControlResult
}

/// What became of an action.
package enum ControlResult: Sendable, Hashable {
  /// It is done, and on the disk; one line for the person.
  case done(String)
  /// A rule forbids it now; one line that says which and what to do.
  case refused(String)
  /// It went wrong; one line that says what and what to do.
  case failed(String)
}
