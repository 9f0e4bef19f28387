/// What a round of looks amounts to: each cause once, and what follows from it skipped. Pure.
struct Diagnosis: Sendable, Hashable {
  /// One look, judged beside the others.
  struct Entry: Sendable, Hashable {
    /// What was seen.
    var checkup: Checkup
    /// The check whose failure explains this one; nil where it stands for itself.
    var cause: String?
  }
  /// In the order of the looks: a cause stands before what it explains.
  let entries: [Entry]

  /// Judges `checkups`; each names in its needs only such as stand before it.
  ///
  /// What is well by itself stays well. Anything else is explained by the first of its needs that failed, or by what
  /// explains that one.
  init(_ checkups: [Checkup]) {
    var causes: [String: String] = [:]
    entries = checkups.map { checkup in
      var cause: String?
      if case .good = checkup.outcome {
      } else {
        cause = checkup.needs.lazy.compactMap { causes[$0] }.first
      }
      if let cause {
        causes[checkup.id] = cause
      } else if case .bad = checkup.outcome {
        causes[checkup.id] = checkup.id
      }
      return Entry(checkup: checkup, cause: cause)
    }
  }

  /// What is wrong and explained by nothing else, the first cause first.
  var causes: [Checkup] {
    entries.compactMap { entry in
      guard entry.cause == nil, case .bad = entry.checkup.outcome else { return nil }
      return entry.checkup
    }
  }

  /// Whether nothing is wrong.
  var isHealthy: Bool { causes.isEmpty }

  /// What the check of this id is called.
  func title(of id: String) -> String {
    entries.first { $0.checkup.id == id }?.checkup.title ?? id
  }
}
