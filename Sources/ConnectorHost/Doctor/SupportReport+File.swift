internal import ConnectorKit
internal import Platform

extension SupportReport {
  /// How many reports of one day a folder holds.
  private static let mostPerDay = 20

  /// Puts the report into a new file of mode 0600, at `path` or, with nil, under a name of its own in the present folder.
  ///
  /// As root it is given to the folder's owner, who is to send it. Blocks.
  ///
  /// - Returns: where it is.
  /// - Throws: `PlatformError`; `EEXIST` where something stands at `path`.
  func write(to path: String?, at time: WallTime) throws(PlatformError) -> String {
    let text = Array(self.text.utf8)
    guard let path else {
      let stem = "\(Product.name)-report-\(time.rfc3339Seconds.prefix(10))"
      for number in 2...Self.mostPerDay {
        let name = number == 2 ? "\(stem).txt" : "\(stem)-\(number - 1).txt"
        if try Files.information(name) == nil { return try Self.put(text, at: name) }
      }
      return try Self.put(text, at: "\(stem)-\(Self.mostPerDay).txt")
    }
    return try Self.put(text, at: path)
  }

  private static func put(_ text: [UInt8], at path: String) throws(PlatformError) -> String {
    let file = try ByteFile(creating: path)
    try file.write(text)
    if Files.isRoot, let folder = try Files.information(Files.folder(of: path)) {
      try Files.setOwner(path, owner: folder.owner, group: folder.group)
    }
    return path
  }
}
