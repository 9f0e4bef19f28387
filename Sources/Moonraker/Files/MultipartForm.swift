internal import Platform

/// A form with text fields and, last, one file that is streamed: what goes before and after the file's bytes
/// (RFC 7578).
package struct MultipartForm: Sendable, Hashable {
  /// The request's `Content-Type`.
  package let contentType: String
  /// What goes before the file's bytes.
  package let prefix: [UInt8]
  /// What goes after them.
  package let suffix: [UInt8]

  /// A form whose file is the field `file`.
  ///
  /// - Parameters:
  ///   - fields: names and values, in order, without line ends.
  ///   - filename: the file's name; in it only `"` and `\` need an escape.
  ///   - boundary: what parts the fields, and occurs in none; by default 128 random bits.
  package init(
    fields: [(String, String)], filename: String, boundary: String = Self.randomBoundary()
  ) {
    contentType = "multipart/form-data; boundary=\(boundary)"
    var text = ""
    for (name, value) in fields {
      text +=
        "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
    }
    // Moonraker's parser takes a backslash for the escape, and percent signs for themselves.
    let escaped = filename.replacing(text: "\\", with: "\\\\").replacing(text: "\"", with: "\\\"")
    text +=
      "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(escaped)\"\r\n"
      + "Content-Type: application/octet-stream\r\n\r\n"
    prefix = Array(text.utf8)
    suffix = Array("\r\n--\(boundary)--\r\n".utf8)
  }

  /// A boundary that nobody can guess.
  package static func randomBoundary() -> String {
    "printer-uplink-"
      + (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
  }
}
