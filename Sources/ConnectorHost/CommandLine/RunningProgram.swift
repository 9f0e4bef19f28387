internal import Platform

/// Other programs of this host, as far as `/proc` shows them to us.
enum RunningProgram {
  /// The ids of the processes whose program's file is called `name`.
  static func processes(named name: String, in folder: String = "/proc") -> [Int] {
    let processes = ((try? Files.names(in: folder)) ?? []).compactMap { Int($0) }
    return processes.filter { process in
      let line = (try? Files.read("\(folder)/\(process)/cmdline", limit: 64 << 10)) ?? []
      let path = String(decoding: line.prefix { $0 != 0 }, as: UTF8.self)
      return path.split(separator: "/").last.map(String.init) == name
    }.sorted()
  }
}
