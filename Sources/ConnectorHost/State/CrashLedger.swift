internal import ConnectorKit
internal import JSON
internal import Platform

/// Which backends brought the process down, and which of them stay parked for that, so that the others live.
///
/// Made once at the start; safe from any thread afterwards.
final class CrashLedger: Sendable {
  /// This many crashes of one backend…
  private static let limit = 3
  /// …within this time park it.
  private static let memory: Int64 = 24 * 3_600 * 1_000
  private static let mark = "crash"

  private struct Crash {
    var backend: String
    var version: String
    var at: WallTime
  }

  private let file: StateFile
  private let parked: Guarded<Set<String>>

  /// Attributes the crash of the last run, if there was one, and marks those to come. Blocks.
  ///
  /// - Parameter mark: makes a trap leave the name of the backend at work in the file at this path.
  init(
    directory: StateDirectory, time: any TimeSource, log: Log,
    mark: (_ path: String) -> Void = CrashMark.install
  ) {
    file = StateFile(directory: directory, name: "crashes.json")
    let now = time.wallTime
    var crashes = Self.crashes(in: file, log: log).filter {
      // A clock that jumped back must not keep a backend parked for ever; another version is another chance.
      let age = now.millisecondsSinceEpoch &- $0.at.millisecondsSinceEpoch
      return $0.version == Product.version && (0..<Self.memory).contains(age)
    }
    let path = directory.path(of: Self.mark)
    if let backend = CrashMark.name(in: path) {
      crashes.append(Crash(backend: backend, version: Product.version, at: now))
      log(.error, "the last run crashed while \(backend) was at work; please report this")
      do {
        try file.write(["crashes": .array(crashes.suffix(50).map(Self.json))])
      } catch {
        log(.warning, "\(error); the crash of \(backend) will be forgotten")
      }
    }
    // Made by our rules of ownership; the mark itself is written into what is there.
    if (try? Files.information(path))?.size != 0 { try? directory.replace(Self.mark, with: []) }
    mark(path)
    let counts = Dictionary(crashes.map { ($0.backend, 1) }, uniquingKeysWith: +)
    parked = Guarded(Set(counts.filter { $0.value >= Self.limit }.keys))
  }

  /// Why the backend `name` is not to be started; nil where it may. Says so once: whoever changes its entry
  /// afterwards wants it back.
  func refusal(of name: String) -> BackendFailure? {
    guard parked.withLock({ $0.remove(name) }) != nil else { return nil }
    return BackendFailure(
      .park, "it brought the daemon down \(Self.limit) times within a day",
      remedy: "report it; to try again, delete \(file.directory.path(of: file.name)) and restart")
  }

  private static func crashes(in file: StateFile, log: Log) -> [Crash] {
    do {
      return try file.read()?["crashes"]?.array?.compactMap { item in
        guard let backend = item["backend"]?.string, let version = item["version"]?.string,
          let at = item["at_ms"]?.integer
        else { return nil }
        return Crash(
          backend: backend, version: version, at: WallTime(millisecondsSinceEpoch: at))
      } ?? []
    } catch {
      log(.warning, "\(error); the count of crashes starts anew")
      return []
    }
  }

  private static func json(_ crash: Crash) -> JSONValue {
    [
      "backend": .string(crash.backend), "version": .string(crash.version),
      "at_ms": .integer(crash.at.millisecondsSinceEpoch),
    ]
  }
}
