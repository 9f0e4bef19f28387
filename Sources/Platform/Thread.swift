internal import CPlatform
internal import Glibc

/// Starts a detached thread that runs `body`.
///
/// - Parameter name: at most 15 bytes; shown by `ps` and `top`.
/// - Returns: whether the thread could be made.
@discardableResult
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
  let work = unsafe Unmanaged.passRetained(ThreadBody(name: name, body))
  var attributes = pthread_attr_t()
  unsafe pthread_attr_init(&attributes)
  defer { unsafe pthread_attr_destroy(&attributes) }
  unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  var thread = pthread_t()
  let status = unsafe pthread_create(&thread, &attributes, runThread, work.toOpaque())
  // The thread takes the reference over; where there is none, it is ours to drop.
  if status != 0 { unsafe work.release() }
  return status == 0
}

private final class ThreadBody: Sendable {
  let name: String
  let body: @Sendable () -> Void
  init(name: String, _ body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument = unsafe argument else { return nil }
  let work = unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
  unsafe pthread_setname_np(pthread_self(), work.name)
  work.body()
  return nil
}
