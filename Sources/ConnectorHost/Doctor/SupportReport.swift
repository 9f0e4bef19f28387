internal import ConnectorKit
internal import Platform

/// What an owner may send to somebody who helps: version, platform, findings, configuration and log, without secrets.
struct SupportReport {
  /// So many lines of the log.
  static let logLines = 200
  private static let logBytes: Int64 = 256 << 10
  /// So long the system's journal may take.
  private static let journalPatience = Duration.seconds(5)

  let diagnosis: Diagnosis
  let configurationPath: String
  let redaction: Redaction
  let logFile: String?

  /// The whole report. Blocks on file reads, and where there is no log file on the system's journal.
  var text: String {
    """
    \(Product.name) \(Product.version)
    \(redaction.text(platform))
    == findings
    \(redaction.text(diagnosis.text()))
    == configuration \(configurationPath)
    \(configuration)
    == log
    \(log)
    """
  }

  private var platform: String {
    let release = Self.lines(of: "/etc/os-release").first { $0.hasPrefix("PRETTY_NAME=") }
    let model = Self.lines(of: "/proc/device-tree/model").first
    let memory = Self.lines(of: "/proc/meminfo").first { $0.hasPrefix("MemTotal") }
    let kernel = Self.lines(of: "/proc/version").first
    return [
      release.map { $0.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } }, model, kernel,
      memory,
    ].compactMap(\.self).map { $0.filter { $0 != "\0" }.onOneLine + "\n" }.joined()
  }

  private var configuration: String {
    do {
      let bytes = try Files.read(configurationPath, limit: 1 << 20)
      return redaction.configuration(String(decoding: bytes, as: UTF8.self))
    } catch {
      return "\(error)\n"
    }
  }

  private var log: String {
    let lines: [String]?
    var source = logFile ?? ""
    if let logFile {
      lines = Self.tail(of: logFile)
    } else {
      let instance = StateDirectory.instance(of: configurationPath).map { "@\($0)" } ?? ""
      let command = [
        "journalctl", "--unit", Product.name + instance, "--lines", "\(Self.logLines)", "--quiet",
        "--no-pager", "--output", "short-iso",
      ]
      source = command.prefix(5).joined(separator: " ")
      lines = ProgramOutput.of(command, timeout: Self.journalPatience).map(Self.lines)
    }
    guard let lines, !lines.isEmpty else {
      return logFile == nil
        ? "no log.file is set, and '\(source)' shows nothing; as root it may show more\n"
        : "\(source) cannot be read, or is empty\n"
    }
    return "\(source)\n"
      + redaction.text(lines.suffix(Self.logLines).map { $0.onOneLine + "\n" }.joined())
  }

  private static func lines(of path: String) -> [String] {
    let bytes = (try? Files.read(path, limit: 64 << 10)) ?? []
    return lines(bytes)
  }

  private static func lines(_ bytes: [UInt8]) -> [String] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private static func tail(of path: String) -> [String]? {
    do throws(PlatformError) {
      let file = try OpenedFile(reading: path)
      let bytes = try file.read(at: file.size - logBytes, Int(logBytes))
      return lines(bytes)
    } catch {
      return nil
    }
  }
}
