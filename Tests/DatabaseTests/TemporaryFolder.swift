import Foundation
import Testing

/// Runs `body` with a fresh folder that is removed afterwards.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    .appendingPathComponent("uplink-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

/// Writes `bytes` over what stands at `offset` of the file.
func overwrite(_ path: String, at offset: UInt64, _ bytes: [UInt8]) throws {
  let file = try #require(FileHandle(forWritingAtPath: path))
  try file.seek(toOffset: offset)
  try file.write(contentsOf: Data(bytes))
  try file.close()
}
