internal import CPlatform
internal import Glibc

/// What another program of this host prints.
package enum ProgramOutput {
  /// Runs a program to its end, without input, its errors thrown away.
  ///
  /// Blocks: call it through ``offload(_:)``. A program that takes longer is killed.
  ///
  /// - Parameters:
  ///   - arguments: its name, looked for in `PATH`, and what follows it.
  ///   - timeout: how long it may take.
  ///   - limit: the most bytes that it may print.
  /// - Returns: its standard output; nil where it is not there, fails, prints more or is too slow.
  package static func of(
    _ arguments: [String], timeout: Duration, limit: Int = 1 << 20
  ) -> [UInt8]? {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else { return nil }
    let reader = FileDescriptor(owning: ends[0])
    let writer = FileDescriptor(owning: ends[1])
    guard let process = start(arguments, writingTo: writer.number) else { return nil }
    close(writer.released())
    let output = read(reader.number, until: HostInformation.awakeTime + timeout, limit: limit)
    if output == nil { kill(process, SIGKILL) }
    var status: Int32 = 0
    let waited = retrying { unsafe waitpid(process, &status, 0) }
    return waited == process && status == 0 ? output : nil
  }

  private static func start(_ arguments: [String], writingTo output: Int32) -> pid_t? {
    guard let program = arguments.first else { return nil }
    var words = unsafe arguments.map { unsafe strdup($0) }
    defer { unsafe words.forEach { unsafe free($0) } }
    unsafe words.append(nil)
    var actions = unsafe posix_spawn_file_actions_t()
    guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return nil }
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    var process: pid_t = 0
    let result = unsafe posix_spawnp(
      &process, program, &actions, nil, words, platform_environment())
    return result == 0 ? process : nil
  }

  private static func read(_ pipe: Int32, until deadline: Duration, limit: Int) -> [UInt8]? {
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let left = deadline - HostInformation.awakeTime
      guard left > .zero else { return nil }
      var poll = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
      let milliseconds = Int32(clamping: Int64(left / .milliseconds(1)) + 1)
      guard retrying({ unsafe Glibc.poll(&poll, 1, milliseconds) }) >= 0 else { return nil }
      guard poll.revents != 0 else { continue }
      let count = retrying { unsafe Glibc.read(pipe, &piece, piece.count) }
      guard count >= 0 else { return nil }
      guard count > 0 else { return output }
      output += piece.prefix(count)
      guard output.count <= limit else { return nil }
    }
  }
}
