internal import JSON

extension JSONValue {
  /// The value as JSON in which nothing steers a terminal.
  var printable: String {
    // What JSON lets stand as it is comes in texts only, which have an escape for it.
    var text = ""
    for scalar in String(decoding: serialized(), as: UTF8.self).unicodeScalars {
      guard String.mustEscape(scalar) else {
        text.unicodeScalars.append(scalar)
        continue
      }
      let digits = String(scalar.value, radix: 16)
      text += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
    return text
  }
}
