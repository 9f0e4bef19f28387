/// Command words that no cloud may send at any level, as G-code or as a macro.
enum ForbiddenWords {
  /// `M` codes by number: the stop that would wait in the queue, what changes the stored settings, and what writes,
  /// deletes, starts or looks for files by itself, beside the rules for files.
  private static let codes: Set<Int> = [112, 999, 500, 501, 502, 28, 29, 30, 32, 33]

  private static let names: Set<String> = [
    "RESTART", "FIRMWARE_RESTART", "SAVE_CONFIG", "RUN_SHELL_COMMAND", "FORCE_MOVE",
    "SET_KINEMATIC_POSITION", "PID_CALIBRATE", "STEPPER_BUZZ",
  ]

  /// Whether `word` is one of them.
  static func contain(_ word: GcodeWord) -> Bool {
    if let code = word.classic { return code.letter == "M" && codes.contains(code.number) }
    return names.contains(word.text) || word.text.utf8.starts(with: "SDCARD_".utf8)
  }
}
