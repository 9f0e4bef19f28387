package import ConnectorKit
internal import Networking

extension ReachRelayBackend {
  /// Checks what the declarations cannot say. Pure.
  package static func validate(_ settings: Settings) -> [Finding] {
    var findings: [Finding] = []
    if let relay = settings[ReachRelaySettings.relay], let excess = RelayAddress.excess(in: relay) {
      findings.append(
        Finding(
          .error, key: "relay", "the relay's address has \(excess)",
          remedy: "write scheme, host and, where needed, port only: https://relay.example.com"))
    }
    if let token = settings[ReachRelaySettings.token] {
      if !HTTPField.canCarry(token.revealed) {
        findings.append(
          Finding(
            .error, key: "token", "the token has a character that no header field can carry",
            remedy: "copy it again: printable ASCII without spaces"))
      }
      if settings[ReachRelaySettings.printerID] == nil {
        findings.append(
          Finding(
            .error, key: "token", "a token needs the printer_id that it belongs to",
            remedy: "add printer_id, or pair with pairing_code instead"))
      }
      if settings[ReachRelaySettings.pairingCode] != nil {
        findings.append(
          Finding(
            .warning, key: "pairing_code", "with a token the pairing code is not used",
            remedy: "remove one of the two"))
      }
    } else if settings[ReachRelaySettings.pairingCode] == nil {
      findings.append(
        Finding(
          .warning, key: "",
          "neither pairing_code nor token: this works only if it is paired already",
          remedy: "take a pairing code from the dashboard's wizard and add it as pairing_code"))
    }
    if !HTTPField.canCarry(settings[ReachRelaySettings.agentVersion]) {
      findings.append(
        Finding(
          .error, key: "agent_version", "no header field can carry this version",
          remedy: "write a version such as 1.0.12, or leave it out"))
    }
    if let key = settings[ReachRelaySettings.pinnedPublicKey], !isPublicKeyPin(key) {
      findings.append(
        Finding(
          .error, key: "pinned_public_key", "this is no pin of a public key",
          remedy: "write sha256// and the 44 characters of the key's hash, several with ; between"))
    }
    findings += intervalFindings(settings)
    findings += WebcamSettings.findings(settings) + FirebaseSettings.findings(settings)
    return findings
  }

  private static func intervalFindings(_ settings: Settings) -> [Finding] {
    let idle = ReachRelaySettings.telemetryIdleInterval
    let busy = ReachRelaySettings.telemetryInterval
    guard settings.origin(of: idle) != .byDefault, settings.origin(of: busy) != .byDefault,
      settings[idle] > settings[busy]
    else { return [] }
    return [
      Finding(
        .warning, key: "telemetry_idle_interval",
        "it is longer than telemetry_interval, which then counts while idle too",
        remedy: "leave telemetry_interval out for reports every 10 s while printing or heating")
    ]
  }

  /// Whether `text` is in libcurl's form: `sha256//` and base64 of 32 bytes, several with `;` between.
  private static func isPublicKeyPin(_ text: String) -> Bool {
    text.split(separator: ";", omittingEmptySubsequences: false).allSatisfy { pin in
      guard pin.hasPrefix("sha256//") else { return false }
      let hash = pin.dropFirst("sha256//".count).utf8
      return hash.count == 44 && hash.last == UInt8(ascii: "=")
        && hash.dropLast().allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
          default: false
          }
        }
    }
  }
}
