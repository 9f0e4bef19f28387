import Foundation
import Testing

/// A fresh folder; remove it with ``removeFolder(_:)``.
///
/// No closure around a test: this compiler mixes up closures inside of `#expect` with others in the same outer one.
func freshFolder() throws -> String {
  let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    .appendingPathComponent("uplink-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  return folder
}

func removeFolder(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }

/// Writes `bytes` over what stands at `offset` of the file.
func overwrite(_ path: String, at offset: UInt64, _ bytes: [UInt8]) throws {
  let file = try #require(FileHandle(forWritingAtPath: path))
  try file.seek(toOffset: offset)
  try file.write(contentsOf: Data(bytes))
  try file.close()
}
