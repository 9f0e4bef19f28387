import JSON
import Testing

@testable import ConnectorHost

@Suite("Doctor: causes and what follows") struct DiagnosisTests {
  private let bad = Checkup.Outcome.bad(problem: "broken", remedy: "mend it")

  @Test("What follows from a cause is skipped, through any number of steps, and the cause is named")
  func skipping() {
    let diagnosis = Diagnosis([
      Checkup("a", "A", bad), Checkup("b", "B", needs: ["a"], bad),
      Checkup("c", "C", needs: ["b"], .unknown("not asked")),
      Checkup("d", "D", needs: ["c"], .warning(problem: "odd", remedy: "")),
      Checkup("e", "E", bad),
    ])
    #expect(diagnosis.entries.map(\.cause) == [nil, "a", "a", "a", nil])
    #expect(diagnosis.causes.map(\.id) == ["a", "e"])
    #expect(!diagnosis.isHealthy)
  }

  @Test("What is well by itself stays well, whatever failed before it")
  func wellStaysWell() {
    let diagnosis = Diagnosis([
      Checkup("a", "A", bad), Checkup("b", "B", needs: ["a"], .good("fine")),
      Checkup("c", "C", needs: ["b"], bad),
    ])
    #expect(diagnosis.entries.map(\.cause) == [nil, nil, nil])
    #expect(diagnosis.causes.map(\.id) == ["a", "c"])
  }

  @Test("Warnings and open questions are no illness")
  func healthy() {
    let diagnosis = Diagnosis([
      Checkup("a", "A", .warning(problem: "odd", remedy: "look")),
      Checkup("b", "B", needs: ["a"], .unknown("why")),
    ])
    #expect(diagnosis.isHealthy)
    #expect(diagnosis.entries.map(\.cause) == [nil, nil])
  }

  @Test("The text begins with the first cause and its remedy, and stays on its lines")
  func text() {
    let diagnosis = Diagnosis([
      Checkup("a", "Alpha", .good("fine")),
      Checkup("b", "Beta", .bad(problem: "bro\nken\u{1B}[2J", remedy: "mend it")),
      Checkup("c", "Gamma", needs: ["b"], bad), Checkup("d", "Delta", .unknown("why")),
    ])
    #expect(
      diagnosis.text() == """
        wrong Beta: bro\\nken\\u{1b}[2J
              do: mend it

        ok    Alpha: fine
        wrong Beta: bro\\nken\\u{1b}[2J
          –   Gamma: skipped, because of Beta
          ?   Delta: why

        1 wrong, 1 skipped because of that

        """)
    #expect(diagnosis.text(usesColours: true).contains("\u{1B}[1;31mwrong\u{1B}[0m Beta"))
  }

  @Test("The document names every check with its state, and the causes in order")
  func document() {
    let document = Diagnosis([
      Checkup("a", "A", bad), Checkup("b", "B", needs: ["a"], .unknown("x")),
    ]).document
    #expect(document["ok"] == false)
    #expect(document["causes"] == ["a"])
    let checks = document["checks"]?.array ?? []
    #expect(checks.map { $0["state"]?.string } == ["wrong", "skipped"])
    #expect(checks.first?["remedy"] == "mend it")
    #expect(checks.last?["because"] == "a")
  }
}
