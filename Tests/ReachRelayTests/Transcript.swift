import Foundation
import JSON

/// The recorded traffic of the original agent.
enum Transcript {
  /// The request bodies that went to `path`, in order, without those that only repeat the one before.
  static func bodies(_ path: String) throws -> [JSONObject] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/transcripts/reach-relay.jsonl")
    var bodies: [JSONObject] = []
    for line in [UInt8](try Data(contentsOf: file)).split(separator: 0x0A) {
      let exchange = try JSONValue(parsing: Array(line))
      guard exchange["path"]?.string == path, let body = exchange["body"]?.object else { continue }
      if body != bodies.last { bodies.append(body) }
    }
    return bodies
  }
}
