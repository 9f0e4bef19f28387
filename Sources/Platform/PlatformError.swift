/// A system call that failed: what was being done, on what, and why.
package struct PlatformError: Error, Sendable, CustomStringConvertible {
  /// What was being done, as a verb phrase: `open`, `rename`.
  package var operation: String
  /// The path or other subject.
  package var subject: String
  /// The system's error number.
  package var errorNumber: Int32

  /// A failure of `operation` on `subject` with `errno` `errorNumber`.
  package init(operation: String, subject: String, errorNumber: Int32) {
    self.operation = operation
    self.subject = subject
    self.errorNumber = errorNumber
  }

  /// One line: `cannot open /x: Permission denied`.
  package var description: String { "cannot \(operation) \(subject): \(errorNumber)" }
}
