internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// The cloud's list of printer makes: fetched when somebody opens the page, then on the disk for a day.
struct PrinterMakes: Sendable {
  /// So long a list counts.
  private static let lifetime = Duration.seconds(86_400)
  /// After a failure nobody is asked again for so long.
  private static let pause = Duration.seconds(60)
  private static let most = 500

  let url: String
  let context: BackendContext
  /// When the list could not be had last.
  let failedAt: Guarded<MonotonicInstant?>

  /// The makes of a kind of machine that are some manufacturer's, sorted; empty where there is no list.
  ///
  /// - Parameter machineType: `Cartesian`, `Delta` or `Belt`.
  func names(_ machineType: String, of manufacturer: Manufacturer) async -> [String] {
    let filter = ["Delta": "delta", "Belt": "belt"][machineType] ?? "cartesian"
    let words = manufacturer.words
    return await list(filter).filter { name in
      let name = name.lowercased()
      return words.isEmpty || words.contains { name.contains(text: $0) }
    }
  }

  private func list(_ filter: String) async -> [String] {
    let file = "makes-\(filter).json"
    let now = context.time.wallTime
    let bytes = try? await context.stateFiles.read(file)
    let kept = bytes.flatMap { try? JSONValue(parsing: $0) }
    let keptNames = kept.map { Self.names(in: $0) } ?? []
    if let at = kept?["fetched_ms"]?.integer {
      let age = WallTime(millisecondsSinceEpoch: at).duration(to: now)
      if age >= .zero, age < Self.lifetime { return keptNames }
    }
    let moment = context.time.now
    let mayAsk = failedAt.withLock { failedAt in
      failedAt.map { $0.duration(to: moment) >= Self.pause } ?? true
    }
    guard mayAsk, let names = await fetch(filter), !names.isEmpty else {
      if mayAsk { failedAt.withLock { $0 = moment } }
      return keptNames
    }
    let value: JSONValue = [
      "fetched_ms": .integer(now.millisecondsSinceEpoch),
      "printerMakes": .array(names.map(JSONValue.string)),
    ]
    // What cannot be kept is fetched again.
    try? await context.stateFiles.replace(file, with: value.serialized())
    return names
  }

  private func fetch(_ filter: String) async -> [String]? {
    let separator = URLParts(url)?.query == nil ? "?" : "&"
    var request = HTTPRequest(
      "GET", "\(url)\(separator)filter=\(filter)", fields: [HTTPFieldOfOurs.userAgent],
      answerLimit: 256 << 10)
    request.addresses = .publicOnly(except: URLParts(url).map { [$0.host] } ?? [])
    guard let answer = try? await context.http.send(request), answer.isSuccess,
      let value = try? JSONValue(
        parsing: answer.body, limits: JSONLimits(bytes: 256 << 10, depth: 8))
    else { return nil }
    return Self.names(in: value)
  }

  /// Names that a page can show.
  private static func names(in value: JSONValue) -> [String] {
    let names = (value["printerMakes"]?.array ?? []).compactMap(\.string).filter { name in
      (1...120).contains(name.count)
        && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
    return Array(Set(names)).sorted().prefix(most).map { $0 }
  }
}
