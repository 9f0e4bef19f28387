import ConnectorKit
import Testing

@Suite("Status interest") struct StatusInterestTests {
  @Test("The union asks for the fields of both, and for all where one wants all")
  func union() {
    var interest = StatusInterest(
      ["a": .named(["x"]), "b": .named(["x"]), "c": .all], once: ["toolhead": ["z"]])
    interest.formUnion(
      StatusInterest(
        ["a": .named(["y"]), "b": .all, "c": .named(["x"]), "d": .all],
        once: ["toolhead": ["y"], "e": ["f"]]))
    #expect(
      interest.objects == ["a": .named(["x", "y"]), "b": .all, "c": .all, "d": .all])
    #expect(interest.once == ["toolhead": ["y", "z"], "e": ["f"]])
  }

  @Test("The union does not depend on the order, and with itself changes nothing")
  func algebra() {
    let left = StatusInterest(["a": .named(["x"])], once: ["o": ["p"]])
    let right = StatusInterest(["a": .all, "b": .named(["y"])])
    var forth = left
    forth.formUnion(right)
    var back = right
    back.formUnion(left)
    #expect(forth == back)
    let before = forth
    forth.formUnion(before)
    #expect(forth == before)
  }

  @Test(
    "Each contains what it asks for and less, and nothing else",
    arguments: [
      (StatusInterest(), true),
      (StatusInterest(["a": .all, "b": .named(["x"])], once: ["o": ["p"]]), true),
      (StatusInterest(["a": .named(["x", "y"])]), true), (StatusInterest(["b": .all]), false),
      (StatusInterest(["b": .named(["z"])]), false), (StatusInterest(["c": .named([])]), false),
      (StatusInterest(once: ["o": ["q"]]), false), (StatusInterest(once: ["a": ["x"]]), false),
    ])
  func containing(_ other: StatusInterest, _ expected: Bool) {
    let interest = StatusInterest(["a": .all, "b": .named(["x", "y"])], once: ["o": ["p", "r"]])
    #expect(interest.contains(other) == expected)
  }
}
