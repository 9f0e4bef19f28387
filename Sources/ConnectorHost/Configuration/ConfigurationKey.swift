internal import ConnectorKit

/// A key of the file: its declaration, and the form of its value where the declared kind alone does not say it.
struct ConfigurationKey {
  /// What a value looks like.
  enum Form: Equatable {
    /// As the declared kind says.
    case declared
    /// A level, or a list of permissions.
    case permissions
    /// A name that is also the name of a file.
    case name
    /// `host:port`, or `off`.
    case listenAddress
    /// `http(s)://…` or `unix:/path`.
    case moonraker
    /// A list of some of these words.
    case words([String])
    /// The URL of a proxy, which may carry a password; empty means none at all.
    case proxy
  }
  var declaration: SettingDeclaration
  var form: Form

  /// A key as a connector declares it.
  init(_ declaration: SettingDeclaration) {
    self.declaration = declaration
    form = .declared
  }

  /// A key of the host's own.
  init<Value>(
    _ setting: Setting<Value>, _ form: Form = .declared,
    effect: SettingDeclaration.Effect = .restart
  ) {
    declaration = setting.declaration
    declaration.effect = effect
    self.form = form
  }
}
