internal import Glibc
internal import Platform

/// Notes, when a trap ends the process, which backend's code was at work: one small write from the signal's handler.
///
/// Every task of a backend inherits its mark, and reading that in the handler takes neither lock nor memory.
enum CrashMark {
  /// The number of the backend at work in this task; 0 is the host.
  @TaskLocal static var backend = 0

  private static let capacity = 64
  private static let width = 256
  private static let signalCapacity = 65
  private static let signals = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGABRT]
  private static let numbers = Guarded<[String: Int]>([:])

  /// The number under which `name` is marked; 0 when there are too many names.
  static func number(of name: String) -> Int {
    numbers.withLock { numbers in
      if let number = numbers[name] { return number }
      let number = numbers.count + 1
      let bytes = Array(name.utf8)
      guard number < capacity, bytes.count < width, let names = unsafe crashNames else { return 0 }
      for (index, byte) in bytes.enumerated() { unsafe names[number * width + index] = byte }
      numbers[name] = number
      return number
    }
  }

  /// Runs `body` as the work of the backend `name`.
  static func marking<Result>(
    _ name: String, _ body: () async throws -> Result
  ) async rethrows -> Result {
    try await $backend.withValue(number(of: name), operation: body)
  }

  /// From now on, a trap leaves the name of the backend at work in the existing file `path`. Once per process.
  static func install(_ path: String) {
    guard unsafe crashNames == nil else { return }
    let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    let names = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * width)
    unsafe names.initialize(repeating: 0, count: capacity * width)
    unsafe crashNames = names
    unsafe crashDescriptor = descriptor
    // Made now: the handler must not be the first to ask.
    _ = backend
    let former = UnsafeMutablePointer<sigaction>.allocate(capacity: signalCapacity)
    unsafe former.initialize(repeating: sigaction(), count: signalCapacity)
    unsafe crashFormerActions = former
    for signal in signals where Int(signal) < signalCapacity {
      var action = sigaction()
      action.sa_flags = SA_SIGINFO
      unsafe action.__sigaction_handler.sa_sigaction = noteCrash
      _ = unsafe sigaction(signal, &action, former + Int(signal))
    }
  }

  /// The name in the file `path`; nil where no backend was at work or nothing crashed. Blocks.
  static func name(in path: String) -> String? {
    guard let bytes = try? Files.read(path, limit: width), !bytes.isEmpty else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  fileprivate static func note(_ signal: CInt, wasSent: Bool) {
    if wasSent {
      // By a process (the service manager's watchdog): it must end us, and nothing will bring it again.
      var usual = sigaction()
      unsafe usual.__sigaction_handler.sa_handler = SIG_DFL
      _ = unsafe sigaction(signal, &usual, nil)
      raise(signal)
    } else if let former = unsafe crashFormerActions {
      // The trap is met again when the handler returns, and then takes its usual course.
      _ = unsafe sigaction(signal, former + Int(signal), nil)
    }
    let number = backend
    guard number > 0, number < capacity, let names = unsafe crashNames else { return }
    let name = unsafe names + number * width
    _ = unsafe pwrite(crashDescriptor, name, strnlen(name, width), 0)
  }
}

// Written once, in `install`, before the handler can run.
nonisolated(unsafe) private var crashNames: UnsafeMutablePointer<UInt8>?
nonisolated(unsafe) private var crashDescriptor: CInt = -1
nonisolated(unsafe) private var crashFormerActions: UnsafeMutablePointer<sigaction>?

private func noteCrash(
  signal: CInt, information: UnsafeMutablePointer<siginfo_t>?, context: UnsafeMutableRawPointer?
) {
  CrashMark.note(signal, wasSent: unsafe (information?.pointee.si_code ?? 0) <= 0)
}
