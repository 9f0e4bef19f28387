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

  /// Fields by object name that change all the time and are therefore never subscribed: read once with each
  /// subscription and kept with that value (`toolhead.estimated_print_time`).
  package var once: [String: Set<String>]
  /// Whether the reader shows how full the disk is: one query every five minutes for all who want it.
  package var wantsDiskUsage: Bool

  /// An interest in these objects.
  package init(
    _ objects: [String: Fields] = [:], once: [String: Set<String>] = [:],
    wantsDiskUsage: Bool = false
  ) {
    self.objects = objects
    self.once = once
    self.wantsDiskUsage = wantsDiskUsage
  }

  /// Adds what `other` needs.
  package mutating func formUnion(_ other: StatusInterest) {
    objects.merge(other.objects) { mine, theirs in
      switch (mine, theirs) {
      case (.named(let left), .named(let right)): .named(left.union(right))
      default: .all
      }
    }
    once.merge(other.once) { $0.union($1) }
    wantsDiskUsage = wantsDiskUsage || other.wantsDiskUsage
  }

  /// Whether all of the printer that `other` needs is needed here too; the disk is no part of that.
  package func contains(_ other: StatusInterest) -> Bool {
    other.objects.allSatisfy { name, fields in
      switch (objects[name], fields) {
      case (.all, _): true
      case (.named(let mine), .named(let theirs)): theirs.isSubset(of: mine)
      default: false
      }
    } && other.once.allSatisfy { name, fields in fields.isSubset(of: once[name] ?? []) }
  }
}
