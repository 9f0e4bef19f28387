package import ConnectorKit
internal import JSON
package import Networking
internal import Platform

/// The printer's files as Moonraker has them.
package struct MoonrakerFiles: Sendable {
  let caller: any MoonrakerCaller
  let settings: MoonrakerSettings
  let transport: any HTTPTransport
  let turn = UploadTurn()

  /// Files behind `caller`.
  ///
  /// - Parameters:
  ///   - caller: for everything but bytes.
  ///   - settings: where Moonraker takes bytes, and its API key.
  ///   - transport: sends them.
  package init(
    caller: any MoonrakerCaller, settings: MoonrakerSettings, transport: any HTTPTransport
  ) {
    self.caller = caller
    self.settings = settings
    self.transport = transport
  }

  /// Moonraker's folders; their paths are of use on its own host only (see ``isLocal``).
  ///
  /// - Throws: `CommandFailure`, after 10 s at the latest.
  package func roots() async throws(CommandFailure) -> [FileRoot] {
    try await ask("server.files.roots").array?.compactMap(FileRoot.init) ?? []
  }

  /// Whether Moonraker runs on this host as far as its address tells: a Unix socket or loopback.
  package var isLocal: Bool {
    switch settings.address {
    case .unixSocket: true
    case .http(let text): URLParts(text)?.isLoopback ?? false
    }
  }

  /// A file's size and time of change, with or without metadata; nil where there is none.
  ///
  /// - Throws: `CommandFailure` where Moonraker does not say, after 10 s at the latest.
  package func state(of path: GCodePath) async throws(CommandFailure) -> MoonrakerFile? {
    let folder = path.folder.map { "gcodes/\($0)" } ?? "gcodes"
    let listing: JSONValue
    do throws(CommandFailure) {
      listing = try await ask("server.files.get_directory", ["path": .string(folder)])
    } catch {
      // A folder that is not there holds no file.
      guard error.code == 400 || error.code == 404 || error.code == -32601,
        error.message.contains(text: "does not exist")
      else { throw error }
      return nil
    }
    for file in listing["files"]?.array ?? [] {
      guard let name = file["filename"]?.string, name.utf8.elementsEqual(path.name.utf8),
        let size = file["size"]?.integer, let modified = file["modified"]?.double
      else { continue }
      return MoonrakerFile(size: size, modified: modified)
    }
    return nil
  }

  /// The paths that Moonraker's job queue holds, in its order; none where it has no queue.
  ///
  /// - Throws: `CommandFailure` where Moonraker does not say, after 10 s at the latest.
  package func queued() async throws(CommandFailure) -> [String] {
    let status: JSONValue
    do throws(CommandFailure) { status = try await ask("server.job_queue.status") } catch {
      guard error.code == -32601 || error.code == 404 else { throw error }
      return []
    }
    return (status["queued_jobs"]?.array ?? []).compactMap { $0["filename"]?.string }
  }

  /// What Moonraker's job queue starts by itself.
  ///
  /// - Throws: `CommandFailure` where Moonraker does not say, after 10 s at the latest.
  package func queueTransition() async throws(CommandFailure) -> QueueTransition {
    guard let configuration = try await ask("server.config")["config"], configuration.object != nil
    else { throw CommandFailure(.printerRefused, "Moonraker does not tell its configuration") }
    let queue = configuration["job_queue"]
    return QueueTransition(
      isAutomatic: queue?["automatic_transition"]?.bool ?? false,
      loadsOnStartup: queue?["load_on_startup"]?.bool ?? false)
  }

  func ask(_ method: String, _ params: JSONObject? = nil) async throws(CommandFailure) -> JSONValue
  {
    do throws(RPCFailure) {
      return try await caller.call(method, params, timeout: .seconds(10))
    } catch {
      throw CommandFailure(error, of: method, isRead: true)
    }
  }
}
