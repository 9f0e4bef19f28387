import Testing

@testable import CuraConnect

@Suite("Forms") struct MultipartReaderTests {
  private static let type =
    "multipart/form-data; boundary=\"boundary_.oOo._vPR7xt8NiayWZJ+y5bivgB0VXs0lgfF1\""
  private static let boundary = "--boundary_.oOo._vPR7xt8NiayWZJ+y5bivgB0VXs0lgfF1"

  /// A form as Qt writes it.
  private static func form(_ payload: [UInt8], filename: String = "UM3_böx (1).ufp") -> [UInt8] {
    Array(
      "\(boundary)\r\ncontent-disposition: form-data; name=owner\r\ncontent-type: text/plain\r\n\r\nalice\r\n"
        .utf8)
      + Array(
        "\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(filename)\"\r\n\r\n"
          .utf8)
      + payload + Array("\r\n\(boundary)--\r\n".utf8)
  }

  private func parts(
    _ bytes: [UInt8], pieces: Int
  ) throws -> (parts: [(name: String, filename: String?, data: [UInt8])], isComplete: Bool) {
    var reader = try #require(MultipartReader(contentType: Self.type))
    var parts: [(name: String, filename: String?, data: [UInt8])] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      for event in try reader.read(Array(bytes[start..<min(bytes.count, start + pieces)])) {
        switch event {
        case .part(let name, let filename): parts.append((name, filename, []))
        case .data(let data): parts[parts.count - 1].data += data
        case .partEnd: break
        }
      }
    }
    return (parts, reader.isComplete)
  }

  @Test(
    "a form is read the same in pieces of any size", arguments: [1, 2, 3, 7, 64, 1_000, 100_000])
  func pieces(_ size: Int) throws {
    // Half a delimiter, whole ones that go on otherwise, line ends at the very end.
    let payload = Array("PK\r\n\(Self.boundary)x\r\n--bound\r\n\r\n\n\r\n".utf8) + [0, 255, 13, 10]
    let (parts, isComplete) = try parts(Self.form(payload), pieces: size)
    #expect(isComplete)
    #expect(parts.map(\.name) == ["owner", "file"])
    #expect(String(decoding: parts[0].data, as: UTF8.self) == "alice")
    #expect(parts[1].filename == "UM3_böx (1).ufp")
    #expect(parts[1].data == payload)
  }

  @Test("an empty part is a part")
  func empty() throws {
    let (parts, isComplete) = try parts(Self.form([]), pieces: 11)
    #expect(isComplete)
    #expect(parts.count == 2)
    #expect(parts[1].data.isEmpty)
  }

  @Test("a body that ends early is not complete, wherever it ends")
  func cut() throws {
    let form = Self.form(Array(repeating: 7, count: 100))
    let end = form.count - "--\r\n".utf8.count
    for length in stride(from: 0, through: end, by: 9) {
      #expect(try !parts(Array(form.prefix(length)), pieces: 50).isComplete)
    }
  }

  @Test("what holds no boundary does not gather in memory")
  func noBoundary() throws {
    var reader = try #require(MultipartReader(contentType: Self.type))
    #expect(throws: MultipartReader.Failure.self) {
      for _ in 0..<100 { _ = try reader.read(Array(repeating: 65, count: 10_000)) }
    }
  }

  @Test("a part's header has an end")
  func longHeader() throws {
    var reader = try #require(MultipartReader(contentType: Self.type))
    #expect(throws: MultipartReader.Failure.self) {
      _ = try reader.read(Array("\(Self.boundary)\r\n".utf8))
      for _ in 0..<100 { _ = try reader.read(Array(repeating: 65, count: 1_000)) }
    }
  }

  @Test("parts have a number")
  func manyParts() throws {
    var reader = try #require(MultipartReader(contentType: Self.type))
    let part = "\(Self.boundary)\r\ncontent-disposition: form-data; name=a\r\n\r\nx\r\n"
    #expect(throws: MultipartReader.Failure.self) {
      _ = try reader.read(Array(String(repeating: part, count: 100).utf8))
    }
  }

  @Test(
    "another type, and a boundary that is none, are no forms",
    arguments: [
      "", "application/json", "multipart/form-data", "multipart/form-data; boundary=",
      "multipart/form-data; boundary=a; boundary=b", "multipart/mixed; boundary=a",
      "multipart/form-data; boundary=\"\u{7}\"",
    ])
  func types(_ type: String) { #expect(MultipartReader(contentType: type) == nil) }

  @Test("a piece full of almost-delimiters is read in a moment")
  func almost() throws {
    var reader = try #require(
      MultipartReader(contentType: "multipart/form-data; boundary=a"))
    let start = Array("--a\r\ncontent-disposition: form-data; name=file\r\n\r\n".utf8)
    let almost = Array(String(repeating: "\r\n--ax", count: 30_000).utf8)
    let events = try reader.read(start + almost)
    #expect(events.count <= 3)
  }
}
