internal import ConnectorKit
internal import Moonraker

/// The printer's files as one backend sees them: its `permissions` must hold `files.list`.
struct PermittedFiles: PrinterFiles {
  let moonraker: MoonrakerRunner
  let isPermitted: Bool

  func read(_ path: GCodePath, upTo limit: Int) async throws(CommandFailure) -> [UInt8] {
    guard isPermitted else {
      throw CommandFailure(.notPermitted, "its permissions do not hold files.list")
    }
    guard let files = moonraker.files else {
      throw CommandFailure(.notConnected, "Moonraker is not connected: \(moonraker.condition)")
    }
    return try await files.read(path, upTo: limit)
  }
}
