import Foundation

/// A request as it came over the wire.
struct WireRequest: Sendable {
  var line: String
  var fields: [String]
  var body: [UInt8]

  func field(_ name: String) -> String? {
    fields.first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
      .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
  }
}

extension LoopbackPeer {
  /// The next request with its body (by `Content-Length`); nil at the end of the stream.
  func readRequest() -> WireRequest? {
    guard let head = read(through: Array("\r\n\r\n".utf8)) else { return nil }
    var lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
    let line = lines.removeFirst()
    var request = WireRequest(line: line, fields: lines.filter { !$0.isEmpty }, body: [])
    if let length = request.field("Content-Length").flatMap({ Int($0) }), length > 0 {
      guard let body = read(exactly: length) else { return nil }
      request.body = body
    }
    return request
  }

  func respond(_ status: String = "200 OK", fields: [String] = [], _ body: String = "") {
    let head = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + fields
    send(head.joined(separator: "\r\n") + "\r\n\r\n" + body)
  }

  /// Answers every request until the client leaves.
  func serve(_ answer: (WireRequest) -> Void) {
    while let request = readRequest() { answer(request) }
  }
}

/// Waits for `condition`, looking every millisecond, for at most ten seconds.
func eventually(_ condition: () -> Bool) async -> Bool {
  for _ in 0..<8_000 {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(1))
  }
  return condition()
}
