internal import ConnectorKit
internal import Platform

/// Keeps pictures of prints on this host's disk: a folder for each print, and no more than a ring of them.
///
/// Only what was made here is ever removed: folders that are remembered, and in them files of our own names.
final class Timelapse: Sendable {
  /// The most pictures of one print.
  static let mostFrames = 100
  /// The most bytes of all prints.
  static let mostBytes: Int64 = 200 << 20

  /// The most prints: each is a line of what must be remembered.
  static let mostPrints = 500

  /// Where they go.
  let folder: String
  private let context: BackendContext
  private let memory: HubMemory
  private let current = Guarded<(name: String, path: String, number: Int)?>(nil)
  private let hasFailed = Guarded(false)

  init(folder: String, context: BackendContext, memory: HubMemory) {
    self.folder = folder
    self.context = context
    self.memory = memory
  }

  /// The folder: the owner's, else `timelapse` beside the G-code files; nil where neither is known to be there. Blocks.
  static func folder(_ rules: CameraRules, gcodes: String?, home: String?) -> String? {
    if let written = rules.timelapseDirectory { return written }
    let data = gcodes.map { Files.folder(of: $0) } ?? home.map { "\($0)/printer_data" }
    guard let data, let found = try? Files.information(data), found.kind == .folder else {
      return nil
    }
    return "\(data)/timelapse"
  }

  /// Keeps a picture of the print of `filename`.
  func keep(_ frame: WebcamFrame, of filename: String) async {
    let stamp = context.time.wallTime.localStamp
    let (path, number, isNew) = current.withLock { current -> (String, Int, Bool) in
      if let running = current, running.name == filename {
        current = (filename, running.path, running.number + 1)
        return (running.path, running.number + 1, false)
      }
      let path = "\(folder)/\(Self.name(of: filename, stamp))"
      current = (filename, path, 1)
      return (path, 1, true)
    }
    if isNew {
      memory.change { $0.timelapses.append(path) }
      await memory.save()
    }
    let jobs = memory.contents.timelapses
    do {
      let gone = try await offload { () throws -> [String] in
        try Files.makeFolder(path, mode: 0o755)
        try Files.replace("\(path)/\(Self.frame(number))", with: frame.bytes, mode: 0o644)
        if number > Self.mostFrames {
          try Files.remove("\(path)/\(Self.frame(number - Self.mostFrames))")
        }
        return isNew || number.isMultiple(of: 10) ? try Self.trim(jobs, keeping: path) : []
      }
      if hasFailed.withLock({ $0 }) { context.log(.info, "timelapse: pictures are kept again") }
      hasFailed.withLock { $0 = false }
      guard !gone.isEmpty else { return }
      memory.change { contents in contents.timelapses.removeAll { gone.contains($0) } }
      await memory.save()
    } catch {
      let isFirst = hasFailed.withLock { failed in
        defer { failed = true }
        return !failed
      }
      if isFirst { context.log(.warning, "timelapse: a picture could not be kept: \(error)") }
    }
  }

  /// The print is over: the next picture begins another folder.
  func end() { current.withLock { $0 = nil } }

  // MARK: On the disk

  private static func frame(_ number: Int) -> String {
    let digits = "\(number)"
    return "frame_\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits).jpg"
  }

  private static func isFrame(_ name: String) -> Bool {
    name.hasPrefix("frame_") && name.hasSuffix(".jpg")
      && name.utf8.dropFirst(6).dropLast(4).allSatisfy { (0x30...0x39).contains($0) }
  }

  /// `20261121-184500-cube`, fit for any file system.
  private static func name(of filename: String, _ stamp: String) -> String {
    let last = filename.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) }
    let kept = (last ?? "print").unicodeScalars.prefix(60).map { scalar in
      scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        || "-_".unicodeScalars.contains(scalar) ? scalar : "_"
    }
    let digits = stamp.prefix(19).filter { $0 != "-" && $0 != ":" }
    let time = String(digits.map { $0 == " " ? "-" : $0 })
    return "\(time)-\(String(String.UnicodeScalarView(kept)))"
  }

  /// Removes the oldest prints until the rest fits.
  ///
  /// - Returns: the folders that are gone.
  private static func trim(_ jobs: [String], keeping current: String) throws -> [String] {
    var sizes: [(path: String, bytes: Int64)] = []
    for path in jobs {
      guard try Files.information(path) != nil else {
        sizes.append((path, -1))
        continue
      }
      var bytes: Int64 = 0
      for name in try Files.names(in: path) where isFrame(name) {
        bytes += try Files.information("\(path)/\(name)")?.size ?? 0
      }
      sizes.append((path, bytes))
    }
    var gone = sizes.filter { $0.bytes < 0 && $0.path != current }.map(\.path)
    var total = sizes.reduce(0) { $0 + max(0, $1.bytes) }
    var count = sizes.count - gone.count
    for (path, bytes) in sizes where path != current && bytes >= 0 {
      guard total > mostBytes || count > mostPrints else { break }
      for name in try Files.names(in: path) where isFrame(name) {
        try Files.remove("\(path)/\(name)")
      }
      // What somebody else has put there stays, and so does the folder.
      try? Files.removeFolder(path)
      total -= bytes
      count -= 1
      gone.append(path)
    }
    return gone
  }
}
