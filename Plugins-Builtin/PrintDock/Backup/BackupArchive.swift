internal import Archives
internal import Platform

/// Writes a plan's files as a compressed tape archive. Blocks: for a thread that may.
enum BackupArchive {
  /// - Parameter sink: takes the archive, in pieces.
  /// - Returns: names of the files that could not be read any more.
  /// - Throws: `ArchiveError`, `BackupPlan.Defect` where no file is left, and what `sink` throws.
  static func write(
    _ plan: BackupPlan, to sink: ([UInt8]) throws -> Void
  ) throws -> [String] {
    var gzip = try GzipWriter()
    var tar = TarWriter()
    var lost: [String] = []
    for member in plan.members {
      guard let file = try? OpenedFile(reading: member.path) else {
        lost.append(member.name)
        continue
      }
      try gzip.write(
        tar.begin(member.name, size: file.size, modified: file.modified), to: sink)
      while tar.wanted > 0 {
        let bytes = try file.read()
        if bytes.isEmpty { break }
        try gzip.write(tar.content(bytes), to: sink)
      }
    }
    guard lost.count < plan.members.count else {
      throw BackupPlan.Defect(problem: "nothing to back up")
    }
    try gzip.write(tar.finish(), to: sink)
    try gzip.finish(to: sink)
    return lost
  }
}
