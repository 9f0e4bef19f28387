/// What a far side wants done at the printer, named by its effect.
///
/// A connector decodes its wire's own commands into these; nothing else reaches the printer. A plain value: it
/// can be compared, journalled and refused without anything having happened.
package enum PrinterCommand: Sendable, Hashable {
  /// Interrupt the running job.
  case pause
  /// Go on with the paused job.
  case resume
  /// End the running or paused job.
  case cancel
  /// Stop everything at once.
  case emergencyStop
  /// Print a file.
  case start(GCodePath, StartCause)
  /// Home these axes; none means all.
  case home([Axis])
  /// Run lines of G-code, separated by `\n`.
  case gcode(String)
  /// Run a macro by name.
  case macro(String, [MacroArgument])
  /// Set a heater's target, °C; the heater by Klipper's name (`extruder`, `heater_bed`).
  case temperature(heater: String, celsius: Double)
  /// The part fan's speed, 0…1.
  case fan(Double)
  /// The speed factor, percent (`M220`).
  case speed(percent: Int)
  /// The extrusion factor, percent (`M221`).
  case flow(percent: Int)
  /// Put a file into Moonraker's root `gcodes`; its bytes are brought by the request's work.
  case upload(GCodePath)
  /// Delete a file of root `gcodes`.
  case deleteFile(GCodePath)
  /// The files of root `gcodes`.
  case listFiles
  /// The newest jobs of the history, at most this many.
  case history(limit: Int)
  /// A backup of the printer's configuration; made by the request's work.
  case backup
  /// Restart Klipper's host software, or the micro-controllers too.
  case restart(RestartKind)
  /// Restart the host.
  case reboot
  /// Turn the host off.
  case shutdownHost
  /// Switch one of Moonraker's power devices.
  case power(device: String, isOn: Bool)
  /// Look at something that Moonraker tells; one of ``MoonrakerRequest/Effect/read(_:)``.
  case query(MoonrakerRequest)
  /// Change Moonraker's job queue, without starting it.
  case queue(QueueChange)
  /// Start Moonraker's job queue: its first job, and the others behind it.
  case startQueue
  /// Anything else of Moonraker's that has no command of its own.
  case raw(MoonrakerRequest)

  /// A change of Moonraker's job queue.
  package enum QueueChange: Sendable, Hashable {
    /// Put files at its end; `isReset` empties it before.
    case add([GCodePath], isReset: Bool)
    /// Take these jobs out, by Moonraker's ids.
    case remove([String])
    /// Take all out.
    case clear
    /// Do not start the next one.
    case pause
    /// Put this job first.
    case first(String)
  }

  /// Why a job is started.
  package enum StartCause: String, Sendable, Hashable, CaseIterable {
    /// A person pressed a button in a cloud.
    case person
    /// A machine decided: auto-start, a queue. Needs a bed that is known to be clear.
    case itself
  }

  /// An axis that can be homed.
  package enum Axis: String, Sendable, Hashable, CaseIterable { case x = "X", y = "Y", z = "Z" }

  /// What is restarted.
  package enum RestartKind: String, Sendable, Hashable, CaseIterable { case klipper, firmware }

  /// A macro's parameter; name and value have been checked by ``MacroArgument/init(_:_:)``.
  package struct MacroArgument: Sendable, Hashable {
    /// The parameter's name, upper case.
    package let name: String
    /// Its value, without control characters, `;` and `"`.
    package let value: String

    /// A parameter.
    ///
    /// - Returns: nil where the name is not `[A-Za-z_][A-Za-z0-9_]{0,63}` or the value holds what could end the line or
    ///   the word: control characters, `;`, `"`, or more than 255 bytes.
    package init?(_ name: String, _ value: String) {
      guard PrinterCommand.isIdentifier(name), value.utf8.count <= 255,
        value.unicodeScalars.allSatisfy({
          $0.value >= 0x20 && $0.value != 0x7F && $0 != ";" && $0 != "\""
        })
      else { return nil }
      self.name = name.uppercased()
      self.value = value
    }
  }

  /// Whether `text` can be the name of a macro or of a parameter: `[A-Za-z_][A-Za-z0-9_]{0,63}`.
  package static func isIdentifier(_ text: String) -> Bool {
    guard (1...64).contains(text.utf8.count), let first = text.utf8.first else { return false }
    func isLetter(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    return isLetter(first)
      && text.utf8.allSatisfy {
        isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }
  }
}
