import JSON
import TestSupport
import Testing

@Suite("JSON numbers") struct JSONNumberTests {
  @Test(
    "Integers are exact where 64 bits hold them, whatever their spelling",
    arguments: [
      ("0", 0), ("-0", 0), ("-0.0", 0), ("0e99999999999999999999", 0), ("2.0", 2), ("20e-1", 2),
      ("1e3", 1_000), ("-1.5e1", -15), ("0.5", nil), ("25e-1", nil), ("1e-1", nil), ("1e19", nil),
      ("9223372036854775807", .max), ("9223372036854775807.0", .max), ("9223372036854775808", nil),
      ("922337203685477580.7e1", .max), ("-9223372036854775808", .min),
      ("-9.223372036854775808e18", .min), ("-9223372036854775809", nil),
      ("9007199254740993.0", 9_007_199_254_740_993), ("1.00000000000000000001", nil),
      ("1e99999999999999999999", nil), ("1e-99999999999999999999", nil), ("1e400", nil),
    ] as [(String, Int64?)])
  func integers(text: String, expected: Int64?) throws {
    #expect(try JSONValue(text: text).integer == expected)
  }

  @Test(
    "Doubles are the nearest ones, and absent where there is none",
    arguments: [
      ("1", 1), ("0.1", 0.1), ("69.9655572610535", 69.9655572610535),
      ("70.54209876081016", 70.54209876081016), ("0.0001", 0.0001), ("0.00001", 0.00001),
      ("1e22", 1e22), ("1e23", 1e23), ("5e-324", .leastNonzeroMagnitude), ("2e-324", 0),
      ("1e-400", 0),
      ("1.7976931348623157e308", 1.7976931348623157e308), ("1.7976931348623159e308", nil),
      ("1e400", nil), ("-1e400", nil), ("9007199254740993", 9_007_199_254_740_992),
      ("123456789012345678901234567890", 123_456_789_012_345_677_877_719_597_056),
      ("0.1000000000000000055511151231257827", 0.1),
      ("2.2250738585072014e-308", .leastNormalMagnitude),
    ] as [(String, Double?)])
  func doubles(text: String, expected: Double?) throws {
    #expect(try JSONValue(text: text).double == expected)
  }

  @Test(
    "A decimal read on the fast way is the double that the standard library reads, and is written alike"
  )
  func fastDecimals() throws {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<20_000 {
      let places = Int.random(in: 1...14, using: &random)
      let whole =
        Int.random(in: 0..<1_000_000, using: &random) >> Int.random(in: 0..<20, using: &random)
      let fraction = (0..<places).map { _ in "\(Int.random(in: 0...9, using: &random))" }.joined()
      let text = (Bool.random(using: &random) ? "-" : "") + "\(whole).\(fraction)"
      let value = try JSONValue(text: text)
      let double = try #require(value.double)
      #expect(double.bitPattern == Double(text)?.bitPattern, "\(text)")
      #expect(value.text == text)
      #expect(value == .double(Double(text)))
    }
  }

  @Test(
    "A fresh double is written so that it reads back as the same double",
    arguments: [
      (1.0, "1.0"), (0.1, "0.1"), (-0.0, "-0.0"), (1e20, "1e+20"), (1e-7, "1e-07"), (235, "235.0"),
      (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (.leastNonzeroMagnitude, "5e-324"),
    ])
  func freshDoubles(value: Double, text: String) throws {
    #expect(JSONValue.double(value).text == text)
    #expect(try JSONValue(text: text).double?.bitPattern == value.bitPattern)
  }

  @Test("What JSON cannot say becomes null", arguments: [Double.nan, .infinity, -.infinity])
  func nonFinite(value: Double) {
    #expect(JSONNumber(value) == nil)
    #expect(JSONValue.double(value) == .null)
  }

  @Test("Integers of every size are written exactly")
  func bigIntegers() {
    #expect(JSONValue.integer(UInt64.max).text == "18446744073709551615")
    #expect(JSONValue.integer(Int64.min).text == "-9223372036854775808")
    #expect(JSONValue.integer(UInt8(7)).text == "7")
  }

  @Test(
    "Numbers are equal by value, not by spelling",
    arguments: [
      ("2", "2.0", true), ("2", "20e-1", true), ("0", "-0.0", true), ("0.5", "0.50", true),
      ("1e400", "1e400", true), ("1e20", "100000000000000000000", true), ("1", "2", false),
      ("9007199254740993", "9007199254740992.0", false), ("1e400", "2e400", false),
      ("1", "1.5", false),
    ])
  func equality(left: String, right: String, isEqual: Bool) throws {
    let (left, right) = (try JSONValue(text: left), try JSONValue(text: right))
    #expect((left == right) == isEqual)
    #expect((right == left) == isEqual)
    if isEqual { #expect(left.hashValue == right.hashValue) }
  }
}
