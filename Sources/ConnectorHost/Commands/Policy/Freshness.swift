internal import ConnectorKit
internal import Platform

/// The one rule about late commands.
enum Freshness {
  /// How long a start's own work (fetching its file) may take.
  static let longestWork = Duration.seconds(30 * 60)

  /// Refuses a command that is too late.
  ///
  /// What moves or heats: by its age where the wire says it, else by the gap in contact before the answer in which it came;
  /// in both cases by how long it has waited since, too. A command of tomorrow has no age: one of the two clocks is wrong.
  ///
  /// A late pause or cancel acts only on a job that already ran before the gap: whoever sent it meant that job. Of a job's
  /// start we know a window: it lies after the last look that saw no such job and before the first that saw it. Where the
  /// far side's last word is known (an earlier contact, or the moment at which the wire says that the command was made), we
  /// refuse only when even the earliest possible start lies behind it: an owner who wants to stop is heard in doubt. Where
  /// it is not known, because this daemon never had contact before, the command may be of last week: then it acts only on
  /// a job that ran already when the daemon came, which is the one that could have been meant.
  ///
  /// - Parameters:
  ///   - now: when its backend submitted it.
  ///   - job: when the present job began; nil where none is known.
  /// - Throws: `CommandFailure` (`stale`).
  static func check(
    _ kind: PrinterCommand.Kind, age: Duration?, in contact: CommandContact,
    at now: MonotonicInstant, maximumAge: Duration, job: JobStart?
  ) throws(CommandFailure) {
    let age = age.flatMap { $0 < .zero - maximumAge ? nil : $0 }
    // A pause may have waited for the very start that it means.
    let waited = kind.movesOrHeats ? contact.at.duration(to: now) : .zero
    let isAfterGap = age == nil && contact.isAfterGap(longerThan: maximumAge)
    guard isAfterGap || (age ?? .zero) + waited > maximumAge else { return }
    if kind.movesOrHeats {
      throw CommandFailure(
        .stale,
        isAfterGap
          ? "came in the first answer after a gap in contact"
          : "is older than \(maximumAge.components.seconds) s")
    }
    guard kind == .pause || kind == .cancel, let job else { return }
    let lastWord =
      isAfterGap ? contact.previous : contact.at.advanced(by: .zero - (age ?? .zero))
    let isOfThatJob =
      switch (job.notBefore, lastWord) {
      case (nil, _): true
      case (_, nil): false
      case (let notBefore?, let lastWord?): notBefore <= lastWord
      }
    guard isOfThatJob else {
      throw CommandFailure(.stale, "came late, and the present job began after the last contact")
    }
  }
}

/// When a job began, as far as we know.
struct JobStart: Sendable, Hashable {
  /// It did not begin before this moment; nil: it ran already when we first saw the printer.
  var notBefore: MonotonicInstant?
}
