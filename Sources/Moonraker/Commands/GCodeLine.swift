package import ConnectorKit
internal import Platform

/// Writes the lines of G-code that commands become, so that no parameter can become another word or another line.
package enum GCodeLine {
  /// `G28` with separate axis letters (Klipper takes `G28 XY` for all); none means all.
  package static func home(_ axes: [PrinterCommand.Axis]) -> String {
    (["G28"] + axes.map(\.rawValue)).joined(separator: " ")
  }

  /// The call of a macro, its values quoted. A macro that is named like `M600` takes Klipper's old form, `M600 X5`.
  ///
  /// - Throws: `CommandFailure`, `.invalid`, for a name that is none, and for values that the old form cannot carry.
  package static func macro(
    _ name: String, _ arguments: [PrinterCommand.MacroArgument]
  ) throws(CommandFailure) -> String {
    guard PrinterCommand.isIdentifier(name) else {
      throw CommandFailure(.invalid, "that is not the name of a macro")
    }
    var line = name
    if isTraditional(name) {
      for argument in arguments {
        guard argument.name.utf8.count == 1, isPlainNumber(argument.value) else {
          throw CommandFailure(
            .invalid, "\(name) takes parameters of one letter and a number only")
        }
        line += " \(argument.name)\(argument.value)"
      }
    } else {
      // Klipper reads quoted values as a shell does: a backslash would swallow what follows.
      for argument in arguments {
        line += " \(argument.name)=\"\(argument.value.replacing(text: "\\", with: "\\\\"))\""
      }
    }
    return line
  }

  /// Sets a heater's target and does not wait for it: `M104 T0`, `M140`, and `SET_HEATER_TEMPERATURE` for all others.
  ///
  /// - Parameters:
  ///   - heater: Klipper's name of the object: `extruder`, `heater_bed`, `extruder1`, `heater_generic chamber`.
  ///   - celsius: 0…1000.
  /// - Throws: `CommandFailure`, `.invalid`, for other values, and for names that are none.
  package static func temperature(
    heater: String, celsius: Double
  ) throws(CommandFailure) -> String {
    guard let target = decimal(celsius, in: 0...1_000) else {
      throw CommandFailure(.invalid, "the temperature is not between 0 and 1000 °C")
    }
    if heater == "extruder" { return "M104 T0 S\(target)" }
    if heater == "heater_bed" { return "M140 S\(target)" }
    let generic = "heater_generic "
    let name =
      heater.utf8.starts(with: generic.utf8) ? heater.dropFirst(generic.count) : heater[...]
    guard isHeaterName(name) else {
      throw CommandFailure(.invalid, "that is not the name of a heater")
    }
    return "SET_HEATER_TEMPERATURE HEATER=\(name) TARGET=\(target)"
  }

  /// The part fan's speed, 0…1, as `M106 S0` … `M106 S255`.
  ///
  /// - Throws: `CommandFailure`, `.invalid`, for another value.
  package static func fan(_ speed: Double) throws(CommandFailure) -> String {
    guard (0...1).contains(speed) else {
      throw CommandFailure(.invalid, "the fan's speed is not between 0 and 100 %")
    }
    return "M106 S\(Int((speed * 255).rounded()))"
  }

  /// A factor in percent, 1…1000: `M220 S120`.
  ///
  /// - Throws: `CommandFailure`, `.invalid`, for another value.
  package static func factor(_ word: String, percent: Int) throws(CommandFailure) -> String {
    guard (1...1_000).contains(percent) else {
      throw CommandFailure(.invalid, "the factor is not between 1 and 1000 %")
    }
    return "\(word) S\(percent)"
  }

  /// A number with at most two decimals and no exponent, which G-code does not know; nil outside of the range.
  private static func decimal(_ value: Double, in range: ClosedRange<Double>) -> String? {
    guard range.contains(value), let hundredths = Int(exactly: (value * 100).rounded()) else {
      return nil
    }
    let (whole, fraction) = hundredths.quotientAndRemainder(dividingBy: 100)
    if fraction == 0 { return "\(whole)" }
    if fraction % 10 == 0 { return "\(whole).\(fraction / 10)" }
    return fraction < 10 ? "\(whole).0\(fraction)" : "\(whole).\(fraction)"
  }

  /// Whether Klipper reads the word's parameters in the old form: a letter, then a digit.
  private static func isTraditional(_ name: String) -> Bool {
    let bytes = Array(name.utf8.prefix(2))
    return bytes.count == 2 && bytes[0] != UInt8(ascii: "_") && isDigit(bytes[1])
  }

  private static func isPlainNumber(_ text: String) -> Bool {
    var digits = text.utf8[...]
    if digits.first == UInt8(ascii: "-") { digits = digits.dropFirst() }
    return digits.contains(where: isDigit)
      && digits.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") }
      && digits.count { $0 == UInt8(ascii: ".") } <= 1
  }

  private static func isHeaterName(_ name: Substring) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
      }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
