/// What Moonraker's own job queue starts without anybody asking, as Moonraker is configured.
package struct QueueTransition: Sendable, Hashable {
  /// `automatic_transition`: the next job as soon as one is complete.
  package var isAutomatic: Bool
  /// `load_on_startup`: the first job as soon as Klippy is ready, also after a restart of it in the middle of a day.
  package var loadsOnStartup: Bool

  /// A queue that starts nothing, unless said otherwise.
  package init(isAutomatic: Bool = false, loadsOnStartup: Bool = false) {
    self.isAutomatic = isAutomatic
    self.loadsOnStartup = loadsOnStartup
  }

  /// The options that are on and should be off; empty where Moonraker starts nothing by itself.
  package var options: [String] {
    (isAutomatic ? ["automatic_transition"] : []) + (loadsOnStartup ? ["load_on_startup"] : [])
  }
}
