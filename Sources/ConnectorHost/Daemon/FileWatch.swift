internal import Dispatch
internal import Glibc
internal import Platform

/// Says when the file at a path has become another one: written, replaced by an editor, or put behind its link.
///
/// It sleeps in the kernel until something happens in the file's folder, and waits a moment for an editor to
/// finish. The last reference ends it.
@safe
final class FileWatch: @unchecked Sendable {
  // @unchecked: `known` and `isPending` are touched on `queue` only, the rest in `init` only.

  /// How long the file must be left alone, for editors that save in several steps.
  private static let settling = DispatchTimeInterval.milliseconds(300)

  private let path: String
  private let onChange: @Sendable () -> Void
  private let queue = DispatchQueue(label: "configuration file")
  private var source: (any DispatchSourceRead)?
  private var known: [Int64]?
  private var isPending = false

  /// Watches `path`; where the kernel has no watch left, nothing is ever said.
  ///
  /// - Parameter onChange: called on a thread of the watch; must be quick.
  init(_ path: String, onChange: @escaping @Sendable () -> Void) {
    self.path = path
    self.onChange = onChange
    known = Self.fingerprint(of: path)
    let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard descriptor >= 0 else { return }
    let events = UInt32(IN_CLOSE_WRITE) | UInt32(IN_MOVED_TO) | UInt32(IN_CREATE)
    // The file behind a link changes in its own folder.
    for folder in Set([path, Files.realPath(path) ?? path].map(Files.folder(of:))) {
      _ = unsafe inotify_add_watch(descriptor, folder, events)
    }
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    source.setEventHandler { [weak self] in self?.something(on: descriptor) }
    source.setCancelHandler { close(descriptor) }
    source.activate()
    self.source = source
  }

  deinit { source?.cancel() }

  private func something(on descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    // Which file it was does not matter: ours is looked at itself.
    while unsafe read(descriptor, &buffer, buffer.count) > 0 {}
    guard !isPending else { return }
    isPending = true
    queue.asyncAfter(deadline: .now() + Self.settling) { [weak self] in self?.look() }
  }

  private func look() {
    isPending = false
    let found = Self.fingerprint(of: path)
    // A file that is gone is being replaced, or will be: the next event tells.
    guard let found, found != known else { return }
    known = found
    onChange()
  }

  private static func fingerprint(of path: String) -> [Int64]? {
    (try? Files.information(path))?.fingerprint
  }
}
