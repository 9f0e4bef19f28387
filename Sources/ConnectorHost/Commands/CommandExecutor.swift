internal import ConnectorKit
internal import JSON

/// What carries a command to the printer: Moonraker in what ships, a model in the gate's tests.
protocol CommandExecutor: Sendable {
  /// Sends `command` once and waits for its end; nothing is repeated.
  ///
  /// - Returns: what it yields: the files, the history; nil for most.
  /// - Throws: `CommandFailure`; `mayHaveHappened` unless it is certain that the printer did not take it.
  func perform(_ command: PrinterCommand) async throws(CommandFailure) -> JSONValue?

  /// Streams a staged file to Moonraker.
  ///
  /// - Returns: Moonraker's `item`.
  /// - Throws: `CommandFailure`.
  func upload(
    _ file: StagedFile, as path: GCodePath
  ) async throws(CommandFailure) -> JSONValue

  /// Checks that nothing on the way to a file leads out of root `gcodes`: Moonraker follows symbolic links. Where
  /// Moonraker is on another host nobody can tell.
  ///
  /// - Throws: `CommandFailure` (`invalid`).
  func checkInside(_ path: GCodePath) async throws(CommandFailure)

  /// The paths that Moonraker's job queue holds.
  ///
  /// - Throws: `CommandFailure` where it does not say.
  func queuedFiles() async throws(CommandFailure) -> [String]

  /// What Moonraker knows of a file's bytes: size and time of change (s since 1970); nil where there is none.
  func fileState(_ path: GCodePath) async throws(CommandFailure) -> FileState?

  /// The SHA-256 of the bytes that a file has now: 64 lower-case hexadecimal digits.
  ///
  /// - Throws: `CommandFailure` where it cannot be read.
  func sha256(of path: GCodePath) async throws(CommandFailure) -> String

  /// The highest temperatures of Klipper's configuration, °C by section in lower case: `extruder`,
  /// `heater_generic chamber`. They stay until Klippy starts again.
  ///
  /// - Throws: `CommandFailure` where Klipper does not say.
  func heaterLimits() async throws(CommandFailure) -> [String: Double]
}

/// A file's size and time of change, as Moonraker says them.
struct FileState: Sendable, Hashable {
  /// Bytes.
  var size: Int64
  /// Seconds since 1970.
  var modified: Double
}
