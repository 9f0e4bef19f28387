internal import Platform

/// Other programs of this host, as far as `/proc` shows them to us.
enum RunningProgram {
  /// The ids of the processes whose program's file is called `name`: a binary, or a script that Python runs.
  static func processes(named name: String, in folder: String = "/proc") -> [Int] {
    let processes = ((try? Files.names(in: folder)) ?? []).compactMap { Int($0) }
    return processes.filter { process in
      let line = (try? Files.read("\(folder)/\(process)/cmdline", limit: 64 << 10)) ?? []
      return program(of: line) == name
    }.sorted()
  }

  /// The name of the file that a command line, its arguments ended by zeros, runs.
  private static func program(of line: [UInt8]) -> String? {
    let arguments = line.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    guard let first = arguments.first.flatMap(fileName) else { return nil }
    guard first.hasPrefix("python") else { return first }
    return arguments.dropFirst().first { !$0.hasPrefix("-") && !$0.isEmpty }.flatMap(fileName)
      ?? first
  }

  private static func fileName(_ path: String) -> String? {
    path.split(separator: "/").last.map(String.init)
  }
}
