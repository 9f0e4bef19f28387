internal import ConnectorKit
internal import Networking
internal import Platform

/// Finds out which generation a hub is, by harmless questions only.
struct Detection: Sendable {
  let server: String
  /// The owner's word; nil: `auto`.
  let written: Generation?
  let overrides: HubAddress.Overrides
  let client: HubClient

  init(_ settings: Settings, client: HubClient) {
    server = settings[PHPHubSettings.serverURL]
    written = Generation(rawValue: settings[PHPHubSettings.generation])
    overrides = HubAddress.Overrides(
      update: settings[PHPHubSettings.updateURL], commands: settings[PHPHubSettings.commandsURL],
      files: settings[PHPHubSettings.filesURL], image: settings[PHPHubSettings.imageURL])
    self.client = client
  }

  /// The addresses without asking; nil where the hub has to be asked.
  var known: HubAddress? {
    (written ?? HubAddress.generation(named: server)).map { address($0) }
  }

  /// The addresses, asked for where the file does not say.
  ///
  /// - Throws: `BackendFailure` (retry) where neither of the hub's scripts answers as it should; `CancellationError`.
  func address() async throws -> HubAddress {
    if let known { return known }
    var problems: [String] = []
    for (generation, url) in HubAddress.probes(server) {
      let answer = try await client.look(url).answer
      // Asked for nothing, the hub refuses: that is what tells it from anything else that answers.
      if case .refused = answer { return address(generation) }
      problems.append(
        answer.problem(host: URLParts(url)?.path ?? url) ?? "\(url) answers otherwise")
    }
    throw BackendFailure(
      .retry(after: nil), "no hub was found at server_url: \(problems.joined(separator: "; "))",
      remedy: "write the address of api.php or printer-api/update.php as server_url")
  }

  private func address(_ generation: Generation) -> HubAddress {
    HubAddress(server: server, generation: generation, overrides: overrides)
  }
}
