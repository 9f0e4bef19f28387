internal import ConnectorKit
internal import Cryptography
internal import Platform

/// The configuration with which a start runs: what the file says, or with `control.pin_permissions` what was accepted
/// before, where the file would allow more than that.
struct StartingConfiguration: Sendable {
  /// What is in force.
  let configuration: Configuration
  /// What it trusts.
  let trust: Trust
  /// The file's bytes behind it; empty where they cannot be loaded.
  let text: [UInt8]
  /// The digest of these bytes.
  let fingerprint: String
  /// What the file allows and the last one did not, and what is in force.
  private(set) var widened: [Widening] = []
  /// What the file would allow, and waits for a person.
  private(set) var waiting: [Widening] = []

  /// Chooses. Blocks where the files name others.
  ///
  /// - Parameters:
  ///   - file: the file as it was loaded, without what persons have set beside it.
  ///   - plain: its configuration.
  ///   - former: what was accepted last.
  ///   - overlay: what persons have set beside the file.
  init(
    _ file: LoadedConfiguration, _ plain: Configuration, former: AcceptedStore.Accepted?,
    overlay: ConfigurationOverlay, loader: ConfigurationLoader, log: Log
  ) {
    func load(_ text: [UInt8]) -> LoadedConfiguration {
      let (loaded, unusable) = loader.load(text, from: plain.path, overlay: overlay) { _ in true }
      for found in unusable {
        log(
          .error,
          "\(found.name) was switched on by a person and cannot be for now: \(found.problem)"
        )
      }
      return loaded
    }
    let new = load(file.text).configuration ?? plain
    let wanted = Trust(new, former: former?.trust)
    let widenings =
      former.map {
        Widening.between($0.trust, wanted, switchedOn: overlay.switchedOn)
      } ?? []
    guard let former, former.trust.pinsPermissions, !widenings.isEmpty else {
      (configuration, trust, text) = (new, wanted, file.text)
      fingerprint = file.fingerprint
      widened = widenings
      return
    }
    waiting = widenings
    if let kept = former.text, let held = load(kept).configuration {
      // What the text names may say something else than when it was accepted: a file, a variable.
      let wider = Widening.between(
        former.trust, Trust(held, former: former.trust), switchedOn: overlay.switchedOn)
      configuration = wider.isEmpty ? held : Self.without(wider, held, former.trust)
      trust = wider.isEmpty ? Trust(held, former: former.trust) : former.trust
      (text, fingerprint) = (kept, Digest.sha256Hex(kept))
    } else {
      log(.error, "what was accepted before cannot be used: what waits stays off")
      configuration = Self.without(widenings, new, former.trust)
      trust = former.trust
      (text, fingerprint) = ([], "")
    }
  }

  /// `configuration` without the entries that `widenings` concern: all of them where one concerns all.
  private static func without(
    _ widenings: [Widening], _ configuration: Configuration, _ trust: Trust
  ) -> Configuration {
    var configuration = configuration
    let names = Set(widenings.compactMap(\.entry))
    let isAll = widenings.contains { $0.entry == nil }
    for index in configuration.backends.indices
    where isAll || names.contains(configuration.backends[index].name) {
      configuration.backends[index].isEnabled = false
    }
    if isAll {
      (configuration.control.listen, configuration.control.healthListen) = (nil, nil)
      configuration.printer.apiKey = nil
      configuration.log.file = nil
      configuration.control.macros = configuration.control.macros.filter {
        trust.grants?.contains($0.rawValue) ?? false
      }
    }
    return configuration
  }
}

extension RunningDaemon {
  /// Says what a start allows that was not allowed before, and keeps what is accepted.
  func began(with start: StartingConfiguration) async {
    for widening in start.widened {
      log(.warning, "allowed since this start: \(widening.text)")
      services.note(widening.text, as: "widened")
    }
    var texts = start.widened.map(\.text)
    if accepted.isDamaged {
      texts.append("what was accepted before cannot be read: the file counts as it is")
    }
    if !texts.isEmpty {
      widenings.add(texts, at: time.wallTime)
      _ = await widenings.save(time)
    }
    guard start.waiting.isEmpty else { return }
    _ = try? await offload { [self] in
      accept(start.configuration, start.trust, text: start.text)
      overlay.forgetSwitches(editedIn: start.configuration.backends)
    }
  }
}
