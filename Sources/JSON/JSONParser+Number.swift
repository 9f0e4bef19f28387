extension JSONParser {
  /// The number that begins here.
  ///
  /// Integers of 64 bits become such, decimals become a double when that writes itself the same
  /// way; all others keep their spelling.
  mutating func number(_ bytes: Span<UInt8>) throws(JSONError) -> JSONNumber {
    let start = position
    let isNegative = take(UInt8(ascii: "-"), bytes)
    // The first 18 digits, which an Int64 always holds, and how many there are in all.
    var leading: Int64 = 0
    var count = try digits(bytes, into: &leading, counted: 0)
    let whole = count
    if count > 1, bytes[isNegative ? start + 1 : start] == UInt8(ascii: "0") {
      throw error("a number begins with 0", at: isNegative ? start + 1 : start)
    }
    var isPlain = true
    if take(UInt8(ascii: "."), bytes) {
      count = try digits(bytes, into: &leading, counted: count)
    }
    if take(UInt8(ascii: "e"), bytes) || take(UInt8(ascii: "E"), bytes) {
      isPlain = false
      if !take(UInt8(ascii: "+"), bytes) { _ = take(UInt8(ascii: "-"), bytes) }
      var ignored: Int64 = 0
      _ = try digits(bytes, into: &ignored, counted: 0)
    }
    if isPlain, count <= 18, !(isNegative && leading == 0) {
      if whole == count { return JSONNumber(isNegative ? -leading : leading) }
      let last = bytes[position - 1]
      if count <= 15, last != UInt8(ascii: "0") || count == whole + 1 {
        // Both are exact, so the quotient is the nearest double; and no decimal of up to 15 digits
        // shares its double with another, so this is the shortest one too.
        let value = Double(leading) / Self.powersOfTen[count - whole]
        // Outside this range doubles are written with an exponent.
        if value == 0 || value >= 0.0001 { return JSONNumber(finite: isNegative ? -value : value) }
      }
    }
    return slowNumber(
      bytes.extracting(start..<position), digits: count, isWhole: isPlain && whole == count)
  }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
  ]

  private func slowNumber(_ bytes: Span<UInt8>, digits: Int, isWhole: Bool) -> JSONNumber {
    var spelling = ""
    for offset in bytes.indices { spelling.unicodeScalars.append(Unicode.Scalar(bytes[offset])) }
    if isWhole, spelling != "-0", let value = Int64(spelling) { return JSONNumber(value) }
    // No double is written with more than 17 digits but for the zeros around them.
    if !isWhole, digits <= 24, let value = Double(spelling), value.isFinite,
      value.description == spelling
    {
      return JSONNumber(finite: value)
    }
    return JSONNumber(spelled: spelling)
  }

  /// Steps over digits, of which there must be one, and returns `counted` plus their number.
  private mutating func digits(
    _ bytes: Span<UInt8>, into value: inout Int64, counted: Int
  ) throws(JSONError) -> Int {
    var count = counted
    while position < bytes.count {
      let digit = bytes[position] &- UInt8(ascii: "0")
      guard digit <= 9 else { break }
      if count < 18 { value = value * 10 + Int64(digit) }
      count += 1
      position += 1
    }
    guard count > counted else { throw unexpected("a digit is missing in a number", bytes) }
    return count
  }
}
