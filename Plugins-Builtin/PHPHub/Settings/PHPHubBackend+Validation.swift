package import ConnectorKit
internal import Networking
internal import Platform

extension PHPHubBackend {
  /// Checks what the declarations cannot say. Pure.
  package static func validate(_ settings: Settings) -> [Finding] {
    tokenFindings(settings) + addressFindings(settings) + cameraFindings(settings)
      + fileFindings(settings) + commandFindings(settings)
  }

  private static func tokenFindings(_ settings: Settings) -> [Finding] {
    guard let token = settings[PHPHubSettings.printerToken] else {
      return [
        Finding(
          .error, key: "printer_token", "there is no token",
          remedy: HubConfiguration.tokenRemedy)
      ]
    }
    if !HubConfiguration.isToken(token.revealed) {
      return [
        Finding(
          .error, key: "printer_token", "this is no token of 1 to 128 printable ASCII characters",
          remedy: HubConfiguration.tokenRemedy)
      ]
    }
    guard token.revealed == PHPHubSettings.publishedToken else { return [] }
    return [
      Finding(
        .warning, key: "printer_token",
        "this is the token that the hub's own example publishes: whoever knows it can be this printer",
        remedy: HubConfiguration.tokenRemedy)
    ]
  }

  private static func addressFindings(_ settings: Settings) -> [Finding] {
    var findings: [Finding] = []
    let written = settings[PHPHubSettings.generation]
    let address = settings[PHPHubSettings.serverURL]
    if URLParts(address)?.hasCredentials ?? false {
      findings.append(
        Finding(
          .error, key: "server_url", "the address holds a user name or a password",
          remedy: "remove it: the hub knows this printer by its token alone"))
    }
    if let found = HubAddress.generation(named: address), written != "auto",
      written != found.rawValue
    {
      findings.append(
        Finding(
          .error, key: "generation",
          "\(written) does not fit the address, which is one of \(found)",
          remedy: "write generation: auto, or the folder that holds the hub as server_url"))
    }
    if written == "v2", settings[PHPHubSettings.preserveHubEdits] {
      findings.append(
        Finding(
          .warning, key: "preserve_hub_edits", "has no effect with v2", remedy: "remove it"))
    }
    let unused = ["image_public_url": PHPHubSettings.imagePublicURL]
    if written == "v1" {
      for (key, setting) in unused where settings[setting] != nil {
        findings.append(
          Finding(.warning, key: key, "has no effect with v1", remedy: "remove it"))
      }
    }
    return findings
  }

  private static func cameraFindings(_ settings: Settings) -> [Finding] {
    settings[PHPHubSettings.cameraURLs].compactMap { url in
      guard let parts = URLParts(url), parts.scheme == "http" || parts.scheme == "https" else {
        return Finding(
          .error, key: "camera.urls", "\(url.prefix(60)) is no http or https address",
          remedy:
            "write the address of a single picture, such as http://localhost:8080/?action=snapshot"
        )
      }
      guard parts.query?.contains(text: "action=stream") ?? false else { return nil }
      return Finding(
        .error, key: "camera.urls", "\(parts.origin)\(parts.path) is a stream",
        remedy: "write action=snapshot instead of action=stream")
    }
  }

  private static func fileFindings(_ settings: Settings) -> [Finding] {
    var findings: [Finding] = []
    let folder = settings[PHPHubSettings.gcodeSubdirectory]
    if GCodePath(folder) == nil || folder.hasPrefix(".") {
      findings.append(
        Finding(
          .error, key: "gcode_subdirectory", "this is no folder among the G-code files",
          remedy: "write a name such as printerhub"))
    }
    for host in settings[PHPHubSettings.allowedDownloadHosts]
    where DownloadOrigins.origins(of: host).isEmpty {
      findings.append(
        Finding(
          .error, key: "file_management.allowed_download_hosts", "\(host.prefix(60)) is no origin",
          remedy: "write https://host, http://host:port, or a host alone"))
    }
    if settings[PHPHubSettings.speedMinimum] > settings[PHPHubSettings.speedMaximum] {
      findings.append(
        Finding(
          .error, key: "speed_range.minimum", "it is more than speed_range.maximum",
          remedy: "write the lesser of the two as the minimum"))
    }
    return findings
  }

  private static func commandFindings(_ settings: Settings) -> [Finding] {
    var findings: [Finding] = []
    if !settings[PHPHubSettings.validateDangerous] {
      findings.append(
        Finding(
          .error, key: "security.validate_dangerous_commands",
          "what no cloud may send cannot be allowed here",
          remedy: "remove it; permissions, allowed_macros and security.dangerous_commands decide"))
    }
    if settings[PHPHubSettings.dangerousCommands] == "allow" {
      findings.append(
        Finding(
          .warning, key: "security.dangerous_commands",
          "means the same as idle_only: nothing is restarted or turned off while a job runs",
          remedy: "write idle_only"))
    }
    return findings
  }
}
