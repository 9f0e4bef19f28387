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
}
