internal import ConnectorKit
internal import JSON
internal import Platform

/// Which configuration file an order, or a look at the daemon, is meant for: several may lead to one state folder.
enum ConfigurationFile {
  /// The field with which a program says whose daemon it means.
  static let field = "Printer-Uplink-Configuration"

  /// The absolute path of the file at `path`, without links where it is there. Blocks.
  static func identity(of path: String) -> String {
    if let real = Files.realPath(path) { return real }
    return path.hasPrefix("/") ? path : "\(Files.realPath(".") ?? "")/\(path)"
  }

  /// Why the daemon of the file at `own` is not the one of the file that the field says; nil where it is, or the
  /// request names none. Blocks.
  static func refusal(of field: String?, by own: String) -> String? {
    guard let field else { return nil }
    guard let meant = decoded(field) else { return "\(Self.field) is not understood." }
    let own = identity(of: own)
    return meant == own ? nil : complaint(running: own, meant: meant)
  }

  /// Why what `/api/status` says is of another daemon than that of the file at `path`; nil where it is of this one, or
  /// does not tell. Blocks.
  static func mismatch(_ status: JSONValue, meant path: String) -> String? {
    guard let running = status["program"]?["configuration"]?.string, running.hasPrefix("/") else {
      return nil
    }
    let meant = identity(of: path)
    return identity(of: running) == meant ? nil : complaint(running: running, meant: meant)
  }

  private static func complaint(running: String, meant: String) -> String {
    "This daemon runs with \(running), not with \(meant): name that one with -c, or give this one a state_directory of its own and start its daemon."
  }

  /// `path` as it can stand in a field: what is not a visible ASCII character, and `%`, as `%XX`.
  static func encoded(_ path: String) -> String {
    var text = ""
    for byte in path.utf8 {
      if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "%") {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return text
  }

  private static func decoded(_ text: String) -> String? {
    let parts = text.split(separator: "%", omittingEmptySubsequences: false)
    var bytes = Array((parts.first ?? "").utf8)
    for part in parts.dropFirst() {
      guard part.utf8.count >= 2, let byte = UInt8(part.prefix(2), radix: 16) else { return nil }
      bytes += [byte] + part.utf8.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
