internal import ConnectorKit

/// The settings of the Firebase part, each declared once.
enum FirebaseSettings {
  static let url = Setting<String?>.optionalURL(
    "firebase.url", example: "https://example-default-rtdb.firebaseio.com", tls: .required,
    "The platform's Firebase Realtime Database, where there is one; needs `firebase.token`.")

  static let token = Setting<Secret?>.secret(
    "firebase.token", "What Firebase is shown as `auth`.")

  /// All of them, in the order in which they are shown.
  static let declarations = [url.declaration, token.declaration]

  /// The original agent's variables.
  static let environment = [
    EnvironmentRule(
      "REACH_LINK_FIREBASE_DATABASE_URL", setting: url.declaration.key,
      .fillsAbsentKeyOfOnlyEntry),
    EnvironmentRule(
      "REACH_LINK_FIREBASE_TOKEN", setting: token.declaration.key, .fillsAbsentKeyOfOnlyEntry),
  ]

  /// What single settings cannot say.
  static func findings(_ settings: Settings) -> [Finding] {
    var findings: [Finding] = []
    let (url, token) = (settings[url], settings[token])
    if let url, let excess = FirebaseAddress.excess(in: url) {
      findings.append(
        Finding(
          .error, key: Self.url.declaration.key, "the database's address has \(excess)",
          remedy: "write the address as the Firebase console shows it"
        ))
    }
    if url != nil, token == nil {
      findings.append(
        Finding(
          .warning, key: Self.url.declaration.key, "Firebase is not used without firebase.token",
          remedy: "add firebase.token, or leave both out: the relay alone is enough"))
    }
    if url == nil, token != nil {
      findings.append(
        Finding(
          .warning, key: Self.token.declaration.key, "Firebase is not used without firebase.url",
          remedy: "add firebase.url, or leave both out: the relay alone is enough"))
    }
    return findings
  }
}
