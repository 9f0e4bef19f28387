internal import ConnectorKit

/// Where the database is and what it is shown, where both are configured.
struct FirebaseRules: Sendable, Hashable {
  /// The database.
  var address: FirebaseAddress
  /// What it is shown.
  var token: Secret

  /// Reads decoded settings; nil: Firebase is not used.
  init?(_ settings: Settings) {
    guard let url = settings[FirebaseSettings.url], let address = FirebaseAddress(url),
      let token = settings[FirebaseSettings.token], !token.revealed.isEmpty
    else { return nil }
    self.address = address
    self.token = token
  }
}
