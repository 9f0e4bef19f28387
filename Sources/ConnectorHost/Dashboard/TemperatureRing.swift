internal import ConnectorKit
internal import JSON
internal import Platform

/// The temperatures of the last half hour, every ten seconds: what a freshly opened page draws. A few kilobytes.
struct TemperatureRing: Sendable {
  /// From one sample to the next, at least.
  static let interval = Duration.seconds(10)
  /// How many samples are kept.
  static let length = 180
  /// How many heaters and sensors are kept.
  static let mostSeries = 16

  /// A heater or sensor; tenths of a degree, `none` where nothing is known.
  private struct Series: Sendable {
    var object: String
    var title: String
    var celsius: [Int16]
    var target: [Int16]
  }
  private static let none = Int16.min

  /// Seconds since the start.
  private var times: [Int32] = []
  private var series: [Series] = []
  private var isBroken = false

  /// No samples.
  init() {}

  /// How many samples there are.
  var count: Int { times.count }

  /// Whether a sample at `uptime` would be taken.
  func isDue(at uptime: Duration) -> Bool {
    guard let last = times.last else { return true }
    return uptime >= .seconds(Int64(last)) + Self.interval
  }

  /// The values are no longer what the printer says: a curve ends here, and another begins with the next sample.
  mutating func interrupt(at uptime: Duration) {
    guard !isBroken, !times.isEmpty else { return }
    isBroken = true
    append(at: uptime)
  }

  /// Takes a sample; see ``isDue(at:)``.
  mutating func add(_ readings: [HeaterReading], at uptime: Duration) {
    isBroken = false
    append(at: uptime)
    for reading in readings {
      guard let index = index(of: reading) else { continue }
      series[index].celsius[times.count - 1] = Self.tenths(reading.temperature)
      series[index].target[times.count - 1] = Self.tenths(reading.target)
    }
    // What the printer has no longer, nobody draws.
    series.removeAll { $0.celsius.allSatisfy { $0 == Self.none } }
  }

  /// As `/api/temperatures` says it.
  var document: JSONValue {
    [
      "version": .integer(StatusDocument.version), "at": .array(times.map { .integer($0) }),
      "series": .array(
        series.map {
          [
            "object": .string($0.object), "title": .string($0.title),
            "celsius": .array($0.celsius.map(Self.degrees)),
            "target": .array($0.target.map(Self.degrees)),
          ]
        }),
    ]
  }

  private mutating func append(at uptime: Duration) {
    times.append(Int32(clamping: uptime.components.seconds))
    for index in series.indices {
      series[index].celsius.append(Self.none)
      series[index].target.append(Self.none)
    }
    guard times.count > Self.length else { return }
    times.removeFirst()
    for index in series.indices {
      series[index].celsius.removeFirst()
      series[index].target.removeFirst()
    }
  }

  private mutating func index(of reading: HeaterReading) -> Int? {
    if let index = series.firstIndex(where: { $0.object == reading.object }) { return index }
    guard series.count < Self.mostSeries else { return nil }
    let nothing = [Int16](repeating: Self.none, count: times.count)
    series.append(
      Series(object: reading.object, title: reading.title, celsius: nothing, target: nothing))
    return series.count - 1
  }

  private static func tenths(_ degrees: Double?) -> Int16 {
    guard let degrees, degrees.isFinite, abs(degrees) < 3_000 else { return none }
    return Int16((degrees * 10).rounded())
  }

  private static func degrees(_ tenths: Int16) -> JSONValue {
    tenths == none ? .null : .double(Double(tenths) / 10)
  }
}
