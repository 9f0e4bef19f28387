internal import JSON
internal import Networking

/// A form with which one kind of picture may be uploaded, until it expires.
struct UploadForm: Sendable, Hashable {
  var url: String
  /// What is sent before the picture, as it came, in its order.
  var fields: [Field]
  /// The most bytes of a picture; nil: not said.
  var maximumSize: Int?
  /// Seconds from when it came.
  var lifetime: Int

  /// A field of the form.
  struct Field: Sendable, Hashable {
    var name: String
    var value: String
  }
}

/// The answer to the question for a form.
enum FormAnswer: Sendable, Hashable {
  case form(UploadForm, type: String?)
  case refused(String)

  /// More than this nobody needs, and nobody gets to make us send.
  private static let mostFields = 64
  private static let mostBytes = 64 << 10
  /// Far more than any form is given for; guards sums.
  private static let longestLife: Int64 = 7 * 86_400

  init(_ payload: JSONValue) {
    guard payload["status"]?.string == "SUCCESS" else {
      self = .refused((payload["message"]?.string ?? "no reason given").logged)
      return
    }
    guard let url = payload["url"]?.string, url.utf8.count <= 4_096, let parts = URLParts(url),
      parts.scheme == "https" || parts.scheme == "http", !parts.hasCredentials,
      (payload["method"]?.string ?? "post").lowercased() == "post"
    else {
      self = .refused("its address cannot be used")
      return
    }
    var fields: [UploadForm.Field] = []
    var bytes = 0
    for (name, value) in payload["fields"]?.object ?? JSONObject() {
      let text = value.string ?? value.number?.spelling
      guard let text, Self.isName(name), Self.isValue(text), name != "file" else {
        self = .refused("its fields cannot be used")
        return
      }
      bytes += name.utf8.count + text.utf8.count
      fields.append(UploadForm.Field(name: name, value: text))
    }
    guard fields.count <= Self.mostFields, bytes <= Self.mostBytes else {
      self = .refused("its fields are too large")
      return
    }
    let lifetime = payload["expires"]?.integer ?? 0
    let size = payload["maxSize"]?.integer.flatMap { Int(exactly: $0) }
    self = .form(
      UploadForm(
        url: url, fields: fields, maximumSize: size.flatMap { $0 > 0 ? $0 : nil },
        lifetime: Int(min(max(lifetime, 0), Self.longestLife))),
      type: payload["type"]?.string)
  }

  private static func isName(_ text: String) -> Bool {
    (1...256).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 }
  }

  private static func isValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }
}
