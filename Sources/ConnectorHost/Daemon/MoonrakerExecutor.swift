internal import ConnectorKit
internal import JSON
internal import Moonraker

/// Carries commands and files to Moonraker over the link that is in force.
struct MoonrakerExecutor: CommandExecutor {
  let moonraker: MoonrakerRunner

  func perform(_ command: PrinterCommand) async throws(CommandFailure) -> JSONValue? {
    try await MoonrakerCommands(caller: moonraker).perform(command)
  }

  func upload(
    _ file: StagedFile, as path: GCodePath
  ) async throws(CommandFailure) -> JSONValue {
    try await files().upload(file, as: path)
  }

  func checkInside(_ path: GCodePath) async throws(CommandFailure) {
    try await files().checkInside(path)
  }

  func queuedFiles() async throws(CommandFailure) -> [String] { try await files().queued() }

  func fileState(_ path: GCodePath) async throws(CommandFailure) -> FileState? {
    try await files().state(of: path).map { FileState(size: $0.size, modified: $0.modified) }
  }

  func sha256(of path: GCodePath) async throws(CommandFailure) -> String {
    try await files().sha256(of: path)
  }

  func heaterLimits() async throws(CommandFailure) -> [String: Double] {
    try await MoonrakerCommands(caller: moonraker).heaterLimits()
  }

  private func files() throws(CommandFailure) -> MoonrakerFiles {
    guard let files = moonraker.files else {
      throw CommandFailure(.notConnected, "Moonraker is not connected: \(moonraker.condition)")
    }
    return files
  }
}
