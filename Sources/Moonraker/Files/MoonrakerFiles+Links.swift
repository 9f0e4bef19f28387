package import ConnectorKit
internal import Platform

extension MoonrakerFiles {
  /// Checks that nothing on the way to a file leads out of root `gcodes`, and that the file is no link itself: Moonraker
  /// follows symbolic links, and a delete or an upload through one would change what lies elsewhere.
  ///
  /// On another host's Moonraker nobody can tell, and nothing is refused.
  ///
  /// - Throws: `CommandFailure`: `.invalid`; where Moonraker does not say where its folders are, what that call threw.
  package func checkInside(_ path: GCodePath) async throws(CommandFailure) {
    guard isLocal, let root = try await roots().first(where: { $0.name == "gcodes" })?.path else {
      return
    }
    let isInside: Bool?
    do {
      isInside = try await offload {
        // A folder that is not there yet, or that we may not look into, is Moonraker's business.
        guard let top = Files.realPath(root) else { return nil }
        let file = "\(root)/\(path.text)"
        if let real = Files.realPath(file) { return real == "\(top)/\(path.text)" }
        guard let folder = path.folder, let real = Files.realPath("\(root)/\(folder)") else {
          return nil
        }
        return real == "\(top)/\(folder)"
      }
    } catch {
      return
    }
    if isInside == false {
      throw CommandFailure(.invalid, "a symbolic link on the way to the file leads elsewhere")
    }
  }
}
