internal import Platform

/// Which files a backup holds. Looks at the disk: for a thread that may block.
struct BackupPlan: Sendable {
  /// A file of the archive.
  struct Member: Sendable, Hashable {
    /// Its name in the archive: relative to the root.
    var name: String
    /// The file itself, links followed.
    var path: String
  }
  /// Why there is no plan.
  struct Defect: Error, Sendable, Hashable {
    /// What is wrong, without a local path.
    var problem: String
  }

  /// The most bytes that go into a backup.
  static let largest: Int64 = 10 << 30
  /// The most files, and the deepest folder: what is beyond is no configuration.
  private static let mostFiles = 10_000
  private static let deepest = 32

  /// The files, in the order of their names.
  private(set) var members: [Member] = []
  /// The sum of their sizes.
  private(set) var size: Int64 = 0
  /// Names of what has been left out because it lies elsewhere, or cannot be read.
  private(set) var skipped: [String] = []

  private let root: String
  private let takesConf: Bool
  /// The folders that are being walked, links followed: one that leads back into itself is not entered.
  private var walked: [String] = []

  /// Looks for the files.
  ///
  /// - Parameters:
  ///   - root: the folder of the printer's data.
  ///   - folders: those of it that are wanted; missing ones do not matter.
  ///   - takesConf: whether `.conf` files belong to it, beside `.cfg`.
  init(root: String, folders: [String], takesConf: Bool) throws(Defect) {
    guard let real = Files.realPath(root), let found = try? Files.information(real),
      found.kind == .folder
    else { throw Defect(problem: "printer_data_root does not exist") }
    self.root = real
    self.takesConf = takesConf
    for folder in folders { try walk(folder, depth: 1) }
    guard !members.isEmpty else { throw Defect(problem: "nothing to back up") }
    guard size <= Self.largest else {
      throw Defect(problem: "archive size exceeds limit of \(Self.largest) bytes")
    }
  }

  private mutating func walk(_ folder: String, depth: Int) throws(Defect) {
    guard depth <= Self.deepest, let real = Files.realPath("\(root)/\(folder)") else { return }
    guard isInside(real), !walked.contains(real) else {
      skipped.append(folder)
      return
    }
    guard let names = try? Files.names(in: real) else {
      // A missing folder was sorted out above.
      skipped.append(folder)
      return
    }
    walked.append(real)
    defer { walked.removeLast() }
    for name in names where name != "Helper-Script" {
      let path = "\(folder)/\(name)"
      guard let real = Files.realPath("\(root)/\(path)"),
        let found = try? Files.information(real)
      else {
        if isWanted(name) { skipped.append(path) }
        continue
      }
      switch found.kind {
      case .folder: try walk(path, depth: depth + 1)
      case .file where isWanted(name):
        guard isInside(real) else {
          skipped.append(path)
          continue
        }
        guard members.count < Self.mostFiles else {
          throw Defect(problem: "more than \(Self.mostFiles) files")
        }
        members.append(Member(name: path, path: real))
        size += found.size
      case .file, .other: break
      }
    }
  }

  private func isInside(_ path: String) -> Bool { path.hasPrefix(root + "/") }

  /// `.cfg`, and `.conf` where asked for; not the copies that SAVE_CONFIG leaves (`printer-20260101_120000.cfg`).
  private func isWanted(_ name: String) -> Bool {
    let isCopy = name.hasPrefix("printer-") && name.contains("_") && name.hasSuffix(".cfg")
    return !isCopy && (name.hasSuffix(".cfg") || takesConf && name.hasSuffix(".conf"))
  }
}
