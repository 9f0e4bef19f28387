import ConnectorKit
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("The temperatures of the last half hour") struct TemperatureRingTests {
  private func readings(_ celsius: Double?, target: Double? = 200) -> [HeaterReading] {
    let view = sampleView { status in
      status.objects = ["extruder": ["temperature": .double(celsius), "target": .double(target)]]
    }
    return HeaterReading.all(in: view.status)
  }

  @Test("A sample is due every ten seconds")
  func pace() {
    var ring = TemperatureRing()
    #expect(ring.isDue(at: .zero))
    ring.add(readings(20), at: .seconds(3))
    #expect(!ring.isDue(at: .milliseconds(12_999)))
    #expect(ring.isDue(at: .seconds(13)))
  }

  @Test("It keeps half an hour and no more, in tenths of a degree")
  func bounded() throws {
    var ring = TemperatureRing()
    for number in 0..<1_000 { ring.add(readings(20.04), at: .seconds(number * 10)) }
    #expect(ring.count == 180)
    let document = ring.document
    #expect(document["at"]?.array?.first?.integer == 8_200)
    #expect(document["at"]?.array?.last?.integer == 9_990)
    let series = try #require(document["series"]?.array?.first)
    #expect(series["title"]?.string == "Extruder")
    #expect(series["celsius"]?.array?.count == 180)
    #expect(series["celsius"]?.array?.last?.double == 20)
    #expect(series["target"]?.array?.last?.double == 200)
  }

  @Test("A curve ends where the printer is away, and a sensor that is gone is forgotten")
  func interruption() {
    var ring = TemperatureRing()
    ring.interrupt(at: .seconds(1))
    #expect(ring.count == 0)
    ring.add(readings(20), at: .seconds(10))
    ring.interrupt(at: .seconds(12))
    ring.interrupt(at: .seconds(14))
    ring.add(readings(21), at: .seconds(60))
    #expect(
      ring.document["series"]?.array?.first?["celsius"] == [20.0, nil, 21.0])
    for number in 0..<180 { ring.add([], at: .seconds(100 + number * 10)) }
    #expect(ring.document["series"]?.array?.isEmpty == true)
  }

  @Test("Nonsense is nothing, and there are only so many curves")
  func hostile() {
    var ring = TemperatureRing()
    let view = sampleView { status in
      status.objects = Dictionary(
        uniqueKeysWithValues: (0..<40).map {
          ("temperature_sensor s\($0)", ["temperature": .double($0 == 0 ? 1e300 : 20)])
        })
    }
    ring.add(HeaterReading.all(in: view.status), at: .seconds(1))
    #expect((ring.document["series"]?.array?.count ?? 0) >= TemperatureRing.mostSeries - 1)
    #expect((ring.document["series"]?.array?.count ?? 0) <= TemperatureRing.mostSeries)
  }
}
