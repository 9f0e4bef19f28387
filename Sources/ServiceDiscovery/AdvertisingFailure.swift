/// Why a service cannot be shown, and what only the caller can change.
package struct AdvertisingFailure: Error, Sendable, Hashable {
  /// What it is.
  package enum Kind: Sendable, Hashable {
    /// Another service of this type on the network has the instance name.
    case nameTaken
    /// This host has no Avahi library, or not the one that is needed.
    case libraryMissing
    /// Avahi does not take the service as it is.
    case refused
  }
  /// What it is.
  package var kind: Kind
  /// What is wrong.
  package var problem: String
  /// What the owner can do.
  package var remedy: String

  /// A failure.
  package init(_ kind: Kind, _ problem: String, remedy: String) {
    self.kind = kind
    self.problem = problem
    self.remedy = remedy
  }
}
