// Which kinds of command there are, and what each needs: the table that a new case cannot forget.

extension PrinterCommand {
  /// A command without its parameters.
  package enum Kind: String, Sendable, CaseIterable {
    case pause, resume, cancel
    case emergencyStop = "emergency_stop"
    case start, home, gcode, macro, temperature, fan, speed, flow, upload
    case deleteFile = "delete_file"
    case listFiles = "list_files"
    case history, backup, restart, reboot
    case shutdownHost = "shutdown_host"
    case power
    case query, queue
    case startQueue = "start_queue"
    case raw

    /// The permission that it takes at the least; what a file, a line of G-code or a macro does may take another.
    package var permission: Permission {
      switch self {
      case .pause: .pause
      case .resume: .resume
      case .cancel: .cancel
      case .emergencyStop: .emergencyStop
      case .start: .start
      case .home: .home
      case .gcode: .gcode
      case .macro: .macro
      case .temperature: .temperature
      case .fan: .fan
      case .speed: .speed
      case .flow: .flow
      case .upload: .upload
      case .deleteFile: .filesDeleteOwn
      case .listFiles: .filesList
      case .history: .history
      case .backup: .backup
      case .restart: .restart
      case .reboot: .reboot
      case .shutdownHost: .shutdown
      case .power: .power
      case .query: .status
      case .queue: .queue
      case .startQueue: .start
      case .raw: .raw
      }
    }

    /// Whether it only looks: it may be done twice, and needs no journal.
    package var isRead: Bool { self == .listFiles || self == .history || self == .query }

    /// Whether what Moonraker answers is worth telling.
    package var hasAnswer: Bool {
      isRead || self == .queue || self == .startQueue || self == .raw
    }

    /// Whether it moves, heats or brings something to life: such a command must be fresh, and only one of all backends'
    /// may be unfinished at a time.
    package var movesOrHeats: Bool {
      switch self {
      case .resume, .start, .home, .gcode, .macro, .temperature, .restart, .reboot, .power,
        .startQueue, .raw:
        true
      case .pause, .cancel, .emergencyStop, .fan, .speed, .flow, .upload, .deleteFile, .listFiles,
        .history, .backup, .shutdownHost, .query, .queue:
        false
      }
    }
  }

  /// The command without its parameters.
  package var kind: Kind {
    switch self {
    case .pause: .pause
    case .resume: .resume
    case .cancel: .cancel
    case .emergencyStop: .emergencyStop
    case .start: .start
    case .home: .home
    case .gcode: .gcode
    case .macro: .macro
    case .temperature: .temperature
    case .fan: .fan
    case .speed: .speed
    case .flow: .flow
    case .upload: .upload
    case .deleteFile: .deleteFile
    case .listFiles: .listFiles
    case .history: .history
    case .backup: .backup
    case .restart: .restart
    case .reboot: .reboot
    case .shutdownHost: .shutdownHost
    case .power: .power
    case .query: .query
    case .queue: .queue
    case .startQueue: .startQueue
    case .raw: .raw
    }
  }
}

/// One command of a connector's wire, as data: from it come `explain` and the test of every permission.
package struct DeclaredCommand: Sendable, Hashable {
  /// The wire's own name: `start_print`.
  package var wireName: String
  /// What it does.
  package var kind: PrinterCommand.Kind
  /// One line for the owner.
  package var summary: String
  /// The permission that it takes, where that is another than its kind's.
  package var permission: Permission
  /// A command of the wire.
  package init(
    _ wireName: String, _ kind: PrinterCommand.Kind, _ summary: String,
    permission: Permission? = nil
  ) {
    self.wireName = wireName
    self.kind = kind
    self.summary = summary
    self.permission = permission ?? kind.permission
  }
}

/// Something that a connector tells its far side, as data: `explain` lists it, and a test compares the list with the wire.
package struct SentField: Sendable, Hashable {
  /// The message: `snapshot`, `heartbeat`, `register`.
  package var message: String
  /// The field's path in it: `payload.result.status.print_stats.*`; `*` stands for every key, `[]` for the elements of an array.
  package var path: String
  /// What it is, for the owner.
  package var meaning: String
  /// A field.
  package init(_ message: String, _ path: String, _ meaning: String) {
    self.message = message
    self.path = path
    self.meaning = meaning
  }
}
