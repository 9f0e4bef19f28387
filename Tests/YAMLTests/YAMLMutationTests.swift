import TestSupport
import Testing
import YAML

@Suite("YAML: damaged files") struct YAMLMutationTests {
  private static let original = """
    version: 1
    printer:
      name: "Voron \\u00e9" # comment
      moonraker: http://127.0.0.1:7125
    log: { level: info, backups: 5 }
    shared: &a [x, 'y', *b]
    backends:
      - type: reach
        permissions: [status, pause]
        notes: |
          two
          lines
      - *a
    """

  @Test(
    "Whatever happens to a file, it is read or refused with a place inside of it", arguments: 0..<8)
  func mutations(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let interesting = Array("\t\n\r :-[]{}&*!|>'\"%@`#,?<~\0\u{85}".utf8) + [0xFF, 0xC3, 0x80]
    for _ in 0..<500 {
      var bytes = Array(Self.original.utf8)
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] = interesting.randomElement(using: &generator) ?? 0
        case 1: bytes.insert(interesting.randomElement(using: &generator) ?? 0, at: place)
        case 2: bytes.remove(at: place)
        default: bytes.append(contentsOf: bytes[place...].prefix(40))
        }
      }
      let lines = bytes.count { $0 == 0x0A } + 2
      do {
        _ = try YAMLNode.parse(bytes)
      } catch {
        #expect((1...lines).contains(error.position.line), "\(bytes)")
        #expect((1...bytes.count + 1).contains(error.position.column), "\(bytes)")
        #expect(!error.problem.isEmpty && !error.remedy.isEmpty)
      }
    }
  }

  @Test("Every beginning of a file is read or refused")
  func truncations() {
    let bytes = Array(Self.original.utf8)
    var refused = 0
    for length in 0...bytes.count {
      do { _ = try YAMLNode.parse(Array(bytes.prefix(length))) } catch { refused += 1 }
    }
    #expect(refused > 20 && refused < bytes.count)
  }
}
