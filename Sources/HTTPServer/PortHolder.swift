internal import Glibc
internal import Platform

/// Who listens on a port of this host, as far as `/proc` shows it to us.
package struct PortHolder: Sendable, Hashable, CustomStringConvertible {
  /// The program's name, or its user's id.
  package var program: String
  /// The process; nil where it is not to be seen.
  package var process: Int32?

  /// `nginx (process 812)`, `a program of user id 33`.
  package var description: String { process.map { "\(program) (process \($0))" } ?? program }

  /// A holder.
  package init(program: String, process: Int32? = nil) {
    self.program = program
    self.process = process
  }

  /// Who listens on `port`; nil where nothing is to be seen.
  package static func of(port: Int) -> PortHolder? {
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
      guard let bytes = try? Files.read(table, limit: 4 << 20) else { continue }
      guard let listener = listener(port: port, in: String(decoding: bytes, as: UTF8.self)) else {
        continue
      }
      return process(holding: listener.inode)
        ?? PortHolder(program: "a program of user id \(listener.user)")
    }
    return nil
  }

  /// The user id and the socket's inode of whoever listens on `port`, from the text of `/proc/net/tcp`.
  static func listener(port: Int, in table: String) -> (user: String, inode: String)? {
    for line in table.split(separator: "\n").dropFirst() {
      let columns = line.split(separator: " ")
      // sl, local address, remote address, state (0A is LISTEN), queues, timer, retransmits, user, timeout, inode
      guard columns.count > 9, columns[3] == "0A",
        let local = columns[1].split(separator: ":").last, Int(local, radix: 16) == port
      else { continue }
      return (String(columns[7]), String(columns[9]))
    }
    return nil
  }

  private static func process(holding inode: String) -> PortHolder? {
    let processes = (try? Files.names(in: "/proc")) ?? []
    for process in processes where process.utf8.allSatisfy(ASCII.isDigit) {
      let folder = "/proc/\(process)"
      let descriptors = (try? Files.names(in: "\(folder)/fd")) ?? []
      guard descriptors.contains(where: { link("\(folder)/fd/\($0)") == "socket:[\(inode)]" })
      else { continue }
      let name = (try? Files.read("\(folder)/comm", limit: 256)) ?? []
      return PortHolder(
        program: String(decoding: name.prefix { $0 != 10 }, as: UTF8.self), process: Int32(process))
    }
    return nil
  }

  private static func link(_ path: String) -> String {
    let target = unsafe [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      unsafe count = max(0, readlink(path, start, buffer.count))
    }
    return String(decoding: target, as: UTF8.self)
  }
}
