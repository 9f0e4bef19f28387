internal import ConnectorKit
internal import Cryptography

/// Under which name a job's file lies at the printer. The original's names: a job is known by them again.
enum JobFileName {
  /// The most bytes of the part that is the job's own name.
  private static let longestName = 100

  /// The path for a job.
  ///
  /// - Parameters:
  ///   - id: the cloud's id; characters that a name should not hold are left out, and a digest stands for them.
  ///   - name: what the owner calls the job; nil: nothing.
  static func path(id: String, name: String?) -> GCodePath? {
    var mark = String(id.unicodeScalars.filter(isPlain).prefix(64).map { Character($0) })
    if mark != id {
      mark += (mark.isEmpty ? "" : "-") + Digest.sha256Hex(Array(id.utf8)).prefix(16)
    }
    let safe = safe(name ?? "")
    return GCodePath(
      safe.isEmpty ? "polar_cloud_\(mark).gcode" : "\(safe)_cloud_\(mark).gcode")
  }

  /// The id in the name of a file that the original, or we, have stored; nil where it is none.
  static func id(in filename: String) -> String? {
    guard filename.hasSuffix(".gcode"), !filename.contains("/") else { return nil }
    let stem = filename.dropLast(".gcode".count)
    let mark = stem.utf8.reversed().prefix { $0 != UInt8(ascii: "_") }
    let id = stem.suffix(mark.count)
    guard !id.isEmpty, id.count <= 64, id.unicodeScalars.allSatisfy(isPlain),
      stem.dropLast(id.count).hasSuffix("_cloud_")
    else { return nil }
    return String(id)
  }

  /// Letters, digits, blank, `_` and `-`; blanks at the ends go, the others become `_`.
  private static func safe(_ name: String) -> String {
    var kept = name.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "_" || $0 == "-" }[
      ...]
    kept = kept.drop { $0 == " " }
    while kept.last == " " { kept.removeLast() }
    while kept.utf8.count > longestName { kept.removeLast() }
    return String(kept.map { $0 == " " ? "_" : $0 })
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "-": true
    default: false
    }
  }
}
