/// Bytes on their way to a socket, at an address that stays until they are gone: OpenSSL wants a write that
/// it could not finish repeated from the same place.
@safe struct StagedOutput: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0

  init(capacity: Int = 16_384) {
    unsafe memory = .allocate(byteCount: capacity, alignment: 1)
  }

  deinit { unsafe memory.deallocate() }

  var isEmpty: Bool { start == end }

  /// How many bytes can be appended; bytes already offered to the socket stay where they are.
  var room: Int { unsafe memory.count - end }

  /// Appends as many of `bytes` as there is room for, and returns how many.
  mutating func append(_ bytes: UnsafeRawBufferPointer) -> Int {
    let count = min(room, bytes.count)
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[end..<end + count])
    unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    end += count
    return count
  }

  /// Offers the bytes to `write`, and drops those that it took.
  mutating func offer(to write: (UnsafeRawBufferPointer) -> WriteOutcome) -> WriteOutcome {
    let outcome = unsafe write(UnsafeRawBufferPointer(rebasing: memory[start..<end]))
    if case .wrote(let count) = outcome {
      start += min(count, end - start)
      if isEmpty {
        start = 0
        end = 0
      }
    }
    return outcome
  }
}
