internal import ConnectorKit

extension ConfigurationLoader {
  /// An entry that a person has switched on and that cannot be.
  struct UnusableSwitch: Sendable, Hashable {
    var name: String
    var problem: String
  }

  /// Loads `bytes` with `overlay`; where that makes an error, without those of its switches to on that cannot be. A switch
  /// to off always counts.
  ///
  /// - Parameter mayDrop: whether the entry of this name may stay off; else the error stands.
  /// - Returns: what was loaded, and the switches that do not count.
  func load(
    _ bytes: [UInt8], from path: String, overlay: ConfigurationOverlay,
    mayDrop: (_ name: String) -> Bool
  ) -> (loaded: LoadedConfiguration, unusable: [UnusableSwitch]) {
    let loaded = load(bytes, from: path, overlay: overlay)
    let names = overlay.switchedOn.filter(mayDrop).sorted()
    guard loaded.configuration == nil, !names.isEmpty else { return (loaded, []) }
    var kept = overlay
    for name in names { kept.switches[name] = nil }
    var best = load(bytes, from: path, overlay: kept)
    guard best.configuration != nil else { return (loaded, []) }
    var unusable: [UnusableSwitch] = []
    for name in names {
      var tried = kept
      tried.switches[name] = overlay.switches[name]
      let result = load(bytes, from: path, overlay: tried)
      if result.configuration != nil {
        (kept, best) = (tried, result)
      } else {
        unusable.append(UnusableSwitch(name: name, problem: result.firstError ?? ""))
      }
    }
    return (best, unusable)
  }
}

extension LoadedConfiguration {
  /// This one, or `file` where that could not even be read.
  func orUnread(_ file: LoadedConfiguration) -> LoadedConfiguration {
    file.fingerprint.isEmpty ? file : self
  }

  /// The first error, and how many more there are; nil where there is none.
  var firstError: String? {
    let errors = findings.filter { $0.finding.severity == .error }
    guard let first = errors.first else { return nil }
    return first.description + (errors.count > 1 ? " (and \(errors.count - 1) more)" : "")
  }
}
