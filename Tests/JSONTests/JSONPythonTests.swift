import Foundation
import JSON
import TestSupport
import Testing

/// Python's `json` as the independent judge of what is read and what is written.
@Suite("JSON compared with Python's json") struct JSONPythonTests {
  @Test("Documents that Python writes are read and written back byte for byte")
  func readsWhatPythonWrites() throws {
    let lines = try Self.python(Self.generate)
    #expect(lines.count == 6_000)
    var answers: [UInt8] = []
    for (number, line) in lines.enumerated() {
      let written = try JSONValue(parsing: line).serialized()
      // Every second line is in the compact form that is ours too.
      if number % 2 == 1 { #expect(written == line) }
      answers += written
      answers.append(0x0A)
    }
    let verdict = try Self.python(Self.judge, input: answers)
    #expect(verdict.map { String(decoding: $0, as: UTF8.self) } == ["6000 alike"])
  }

  @Test("Documents that are written here come back from Python with every value unchanged")
  func writesWhatPythonReads() throws {
    var random = SeededGenerator(seed: 13)
    let documents = (0..<3_000).map { _ in GeneratedDocument.value(using: &random) }
    var input: [UInt8] = []
    for document in documents {
      input += document.serialized()
      input.append(0x0A)
    }
    let lines = try Self.python(Self.echo, input: input)
    #expect(lines.count == documents.count)
    for (line, document) in zip(lines, documents) {
      let answer = try JSONValue(parsing: line)
      #expect(Self.isExactly(answer, document))
    }
  }

  /// Equal in kinds, order and bits.
  private static func isExactly(_ left: JSONValue, _ right: JSONValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
    case (.number(let left), .number(let right)):
      left.integer == right.integer && left.double?.bitPattern == right.double?.bitPattern
        && left.spelling.contains(where: { ".e".contains($0) })
          == right.spelling.contains(where: { ".e".contains($0) })
    case (.array(let left), .array(let right)):
      left.count == right.count && zip(left, right).allSatisfy(isExactly)
    case (.object(let left), .object(let right)):
      left.count == right.count
        && zip(left, right).allSatisfy {
          $0.key.utf8.elementsEqual($1.key.utf8) && isExactly($0.value, $1.value)
        }
    default: false
    }
  }

  /// The lines that a Python program prints.
  private static func python(_ program: String, input: [UInt8] = []) throws -> [[UInt8]] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let inputFile = folder.appendingPathComponent("input")
    let outputFile = folder.appendingPathComponent("output")
    try Data(input).write(to: inputFile)
    try Data().write(to: outputFile)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program]
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return [UInt8](try Data(contentsOf: outputFile)).split(separator: 0x0A).map { Array($0) }
  }

  private static let documents = """
    import json, random, struct, sys
    r = random.Random(17)
    def number():
        kind = r.randrange(6)
        if kind == 0: return r.randrange(-1000, 1000)
        if kind == 1: return r.randrange(-2**63, 2**63)
        if kind == 2: return r.randrange(-2**200, 2**200)
        if kind == 3: return round(r.uniform(-1000, 1000), r.randrange(1, 8))
        if kind == 4: return r.random()
        while True:
            value = struct.unpack("<d", struct.pack("<Q", r.getrandbits(64)))[0]
            if value - value == 0: return value
    def text():
        out = []
        for _ in range(r.randrange(20)):
            low, high = r.choice([(0, 128), (97, 123), (128, 2048), (2048, 0xD800), (0xE000, 0x110000)])
            out.append(chr(r.randrange(low, high)))
        return "".join(out)
    def value(depth):
        kind = r.randrange(9 if depth else 6)
        if kind == 0: return r.choice([None, True, False])
        if kind < 4: return number()
        if kind < 6: return text()
        if kind == 6: return [value(depth - 1) for _ in range(r.randrange(8))]
        return {text(): value(depth - 1) for _ in range(r.randrange(24))}
    documents = [value(3) for _ in range(3000)]

    """

  private static let generate =
    documents + """
      out = sys.stdout.buffer
      for each in documents:
          out.write(json.dumps(each, indent=r.choice([None, 0])).replace("\\n", " ").encode() + b"\\n")
          out.write(json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() + b"\\n")
      """

  private static let judge =
    documents + """
      def same(a, b):
          if type(a) is not type(b): return False
          if type(a) is dict: return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
          if type(a) is list: return len(a) == len(b) and all(map(same, a, b))
          return repr(a) == repr(b)
      lines = sys.stdin.buffer.read().decode().split("\\n")[:-1]
      alike = 0
      for number, line in enumerate(lines):
          if same(json.loads(line), documents[number // 2]): alike += 1
          else: print("line", number, "differs")
      print(alike, "alike")
      """

  private static let echo = """
    import json, sys
    for line in sys.stdin.buffer.read().decode().split("\\n")[:-1]:
        sys.stdout.buffer.write(json.dumps(json.loads(line)).encode() + b"\\n")
    """
}
