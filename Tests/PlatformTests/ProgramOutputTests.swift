import Testing

@testable import Platform

@Suite("Another program's output") struct ProgramOutputTests {
  @Test("What it prints is given back; its errors are not")
  func output() {
    let output = ProgramOutput.of(
      ["sh", "-c", "echo one; echo two >&2; cat; printf three"], timeout: .seconds(20))
    #expect(output.map { String(decoding: $0, as: UTF8.self) } == "one\nthree")
  }

  @Test(
    "One that is not there, fails, talks too much or does not end gives nothing",
    arguments: [
      ["no-such-program-anywhere"], ["sh", "-c", "echo one; exit 3"], ["sh", "-c", "yes"],
      ["sh", "-c", "echo one; kill -9 $$"], [],
    ])
  func nothing(_ arguments: [String]) {
    #expect(ProgramOutput.of(arguments, timeout: .seconds(20), limit: 1000) == nil)
  }

  @Test("One that takes too long is killed")
  func slow() {
    let begin = HostInformation.awakeTime
    #expect(ProgramOutput.of(["sleep", "60"], timeout: .milliseconds(50)) == nil)
    #expect(HostInformation.awakeTime - begin < .seconds(30))
  }
}
