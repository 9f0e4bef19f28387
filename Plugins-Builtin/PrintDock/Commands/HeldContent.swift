internal import JSON
internal import Platform

/// The content of an upload as it came: base64 inside of the answer's bytes, until somebody takes it out.
final class HeldContent: Sendable {
  /// How many bytes it takes.
  let count: Int
  private let slice: Guarded<JSONSlice?>
  private let size = Guarded<Int64?>(nil)

  init(_ slice: JSONSlice) {
    count = slice.count
    // A small part does not keep a large answer in memory.
    self.slice = Guarded(slice.count < slice.documentCount / 2 ? slice.detached() : slice)
  }

  /// Takes the content; nil when it has been taken.
  func take() -> JSONSlice? {
    slice.withLock { slice in
      defer { slice = nil }
      return slice
    }
  }

  /// How many bytes have been decoded; nil before all are.
  var decodedSize: Int64? {
    get { size.withLock { $0 } }
    set { size.withLock { $0 = newValue } }
  }
}
