/// Which of the printer's objects and fields a reader needs.
package struct StatusInterest: Sendable, Hashable {
  /// The fields of one object.
  package enum Fields: Sendable, Hashable {
    /// All that the object has.
    case all
    /// These.
    case named(Set<String>)
  }
  /// Fields by object name; a name ending in ` *` stands for every object with that prefix (`temperature_sensor *`).
  package var objects: [String: Fields]

  /// An interest in these objects.
  package init(_ objects: [String: Fields] = [:]) { self.objects = objects }

  /// Adds what `other` needs.
  package mutating func formUnion(_ other: StatusInterest) {
    objects.merge(other.objects) { mine, theirs in
      switch (mine, theirs) {
      case (.named(let left), .named(let right)): .named(left.union(right))
      default: .all
      }
    }
  }
}
