internal import ConnectorKit

/// What a reloaded entry means for the backend that runs by the former one.
enum BackendChange: Sendable, Hashable {
  /// Nothing, or only where things stand in the file.
  case none
  /// Something that takes effect while the backend goes on: permissions, the log level.
  case live
  /// The backend has to be made anew.
  case restart
}

extension BackendConfiguration {
  /// What it takes to go from `former` to this entry.
  ///
  /// Values count, their places in the file do not: a comment added above must not restart anything.
  ///
  /// - Parameter retired: keys of one-time secrets that the running backend has spent; that they have
  ///   left the file is no change.
  func change(from former: BackendConfiguration, retired: Set<String>) -> BackendChange {
    guard ObjectIdentifier(connector) == ObjectIdentifier(former.connector),
      isEnabled == former.isEnabled, isInsecure == former.isInsecure,
      hasSameSettings(as: former, retired: retired)
    else { return .restart }
    let isSame =
      permissions == former.permissions && permissionsText == former.permissionsText
      && allowedMacros == former.allowedMacros
      && allowedGcodePatterns == former.allowedGcodePatterns
      && patternsReplaceUsual == former.patternsReplaceUsual
      && maximumCommandAge == former.maximumCommandAge && logLevel == former.logLevel
    return isSame ? .none : .live
  }

  private func hasSameSettings(as former: BackendConfiguration, retired: Set<String>) -> Bool {
    let keys = Set(settings.entries.keys).union(former.settings.entries.keys)
    return keys.allSatisfy { key in
      let new = settings.entries[key]?.value
      return new == former.settings.entries[key]?.value || (new == nil && retired.contains(key))
    }
  }
}
