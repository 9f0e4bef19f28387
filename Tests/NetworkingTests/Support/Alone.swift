import Foundation
import Testing

/// Tests that need a process of their own: for its environment, or to count what it holds.
enum Alone {
  /// Whether this process was started by `run`.
  static let isChild = ProcessInfo.processInfo.environment["NETWORKING_TESTS_CHILD"] != nil

  /// Runs the one test that `filter` matches in a new process, and expects it to pass.
  static func run(_ filter: String, environment: [String: String] = [:]) async throws {
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe")
    // The runner's own arguments, but for what to run and where to report it.
    var arguments = Array(CommandLine.arguments.dropFirst())
    for option in ["--filter", "--event-stream-output-path", "--xunit-output"] {
      while let place = arguments.firstIndex(of: option) {
        arguments.removeSubrange(place..<min(place + 2, arguments.endIndex))
      }
    }
    process.arguments = arguments + ["--filter", filter]
    process.environment = ProcessInfo.processInfo.environment
      .merging(environment) { $1 }.merging(["NETWORKING_TESTS_CHILD": "1"]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    let text: String = try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        do {
          try process.run()
          let data = output.fileHandleForReading.readDataToEndOfFile()
          process.waitUntilExit()
          continuation.resume(returning: String(decoding: data, as: UTF8.self))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
    #expect(text.contains("Test run with 1 test in 1 suite passed"), "\(text)")
    #expect(process.terminationStatus == 0)
  }
}
