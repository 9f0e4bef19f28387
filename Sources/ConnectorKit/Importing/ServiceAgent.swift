/// A service's own agent, which must not run beside us with the same pairing.
package struct ServiceAgent: Sendable, Hashable {
  /// The name of its program's file: a binary, or a script that Python runs.
  package var program: String
  /// How to end that program for good.
  package var stopAdvice: String
  /// An agent.
  package init(program: String, stopAdvice: String) {
    self.program = program
    self.stopAdvice = stopAdvice
  }
}
