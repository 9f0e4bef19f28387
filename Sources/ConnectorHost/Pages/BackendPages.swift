internal import ConnectorKit
internal import Platform

/// The pages that backends have on the control server. Safe from any thread.
package final class BackendPages: Sendable {
  private struct Entry {
    var name: String
    var paths: [String]
    var handler: PageService.Handler
  }
  private let entries = Guarded<[Entry]>([])

  /// No pages yet.
  package init() {}

  /// The page of an entry that has one at `path`: the first that was made, or the one of this name.
  func handler(at path: String, backend: String?) -> PageService.Handler? {
    entries.withLock { entries in
      entries.first { entry in
        (backend == nil || entry.name == backend)
          && entry.paths.contains { $0 == path || ($0.hasSuffix("/") && path.hasPrefix($0)) }
      }?.handler
    }
  }

  /// Where the page of the entry `name` is, without the leading slash; nil: it has none.
  func address(of name: String) -> String? {
    entries.withLock { entries in
      entries.first { $0.name == name }?.paths.first { $0.hasSuffix("/") }
        .map { String($0.dropFirst()) }
    }
  }

  /// Takes the place of what the entry had at these paths, else comes behind the others.
  func serve(_ name: String, _ paths: [String], _ handler: @escaping PageService.Handler) {
    entries.withLock { entries in
      let new = Entry(name: name, paths: paths, handler: handler)
      if let place = entries.firstIndex(where: { $0.name == name && $0.paths == paths }) {
        entries[place] = new
      } else {
        entries.append(new)
      }
    }
  }

  /// Forgets the pages of all other entries.
  func keep(_ names: Set<String>) {
    entries.withLock { entries in entries.removeAll { !names.contains($0.name) } }
  }
}

/// The pages as one backend sees them.
struct EntryPages: PageService {
  let name: String
  let pages: BackendPages
  /// Starts the backend of this name where it is parked.
  let start: @Sendable (_ name: String) -> Void

  func serve(_ paths: [String], _ handler: @escaping Handler) { pages.serve(name, paths, handler) }
  func wake() { start(name) }
}
