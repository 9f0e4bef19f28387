/// One thing that the doctor has looked at, with what came of it.
struct Checkup: Sendable, Hashable {
  /// What came of a look.
  enum Outcome: Sendable, Hashable {
    /// All is well; what was seen.
    case good(String)
    /// It works, and something should be done all the same.
    case warning(problem: String, remedy: String)
    /// It does not work: what is wrong, and the one thing to do.
    case bad(problem: String, remedy: String)
    /// Nobody can tell from here: why, or how to find out.
    case unknown(String)
  }
  /// What others name it by in ``needs``: `moonraker`, `cloud.reach`.
  var id: String
  /// For people: `Moonraker`, `reach: account`.
  var title: String
  /// What must be well before this one means anything.
  var needs: [String]
  /// What came of it.
  var outcome: Outcome

  /// A look at something.
  init(_ id: String, _ title: String, needs: [String] = [], _ outcome: Outcome) {
    self.id = id
    self.title = title
    self.needs = needs
    self.outcome = outcome
  }
}
