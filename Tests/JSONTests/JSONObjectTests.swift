import JSON
import TestSupport
import Testing

@Suite("JSON objects") struct JSONObjectTests {
  @Test("Setting, replacing and removing keep the order of the others", arguments: [3, 16, 17, 40])
  func keepsOrder(count: Int) {
    var object = JSONObject()
    for number in 0..<count { object["k\(number)"] = .integer(number) }
    object["k1"] = "new"
    object["k0"] = nil
    object["absent"] = nil
    #expect(object.count == count - 1)
    #expect(object.keys == (1..<count).map { "k\($0)" })
    #expect(object["k1"] == "new")
    #expect(object["k0"] == nil)
    #expect(object["k\(count - 1)"] == .integer(count - 1))
    object["k0"] = 0
    #expect(object.keys.last == "k0")
    #expect(object.map(\.key) == object.keys)
  }

  @Test("A random series of changes gives what a dictionary gives")
  func agreesWithDictionary() {
    var random = SeededGenerator(seed: 11)
    var object = JSONObject()
    var model: [String: JSONValue] = [:]
    for step in 0..<5_000 {
      let key = "key \(Int.random(in: 0..<60, using: &random))"
      let value: JSONValue? = Int.random(in: 0..<3, using: &random) == 0 ? nil : .integer(step)
      object[key] = value
      model[key] = value
      #expect(object[key] == model[key])
      #expect(object.count == model.count)
    }
    #expect(Dictionary(uniqueKeysWithValues: object.map { ($0.key, $0.value) }) == model)
  }

  @Test("Order does not matter for equality, members do")
  func equality() throws {
    let one = try JSONValue(text: #"{"a":1,"b":[2],"c":null}"#)
    let same = try JSONValue(text: #"{"c":null,"a":1,"b":[2]}"#)
    #expect(one == same)
    #expect(one.hashValue == same.hashValue)
    #expect(one != ["a": 1, "b": [2]])
    #expect(one != ["a": 1, "b": [2], "d": nil])
    #expect(one != ["a": 1, "b": [3], "c": nil])
    #expect(["a": 1, "b": 2] as JSONValue != ["b": 1, "a": 2])
  }

  @Test("Keys that differ in normalisation only are two keys")
  func comparesBytes() throws {
    let value = try JSONValue(text: "{\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(value.object?.count == 2)
    #expect(value["\u{E9}"] == 1)
    #expect(value["e\u{301}"] == 2)
  }

  @Test("A copy does not change with its original")
  func copies() {
    var original: JSONObject = ["a": 1]
    let copy = original
    original["a"] = 2
    #expect(copy["a"] == 1)
  }

  @Test("A literal with a repeated key keeps the last value in the first place")
  func literals() {
    let object: JSONObject = ["a": 1, "b": 2, "a": 3]
    #expect(object.keys == ["a", "b"])
    #expect(object["a"] == 3)
  }
}
