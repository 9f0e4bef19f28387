internal import CPlatform

extension Array<UInt8> {
  /// Where `wanted` first stands at or behind `start`; nil where it does not. Fast enough for files.
  package func firstIndex(ofBytes wanted: [UInt8], from start: Int = 0) -> Int? {
    guard start >= 0, start <= count, !wanted.isEmpty else { return nil }
    return unsafe withUnsafeBytes { bytes -> Int? in
      guard let base = bytes.baseAddress,
        let found = unsafe platform_find(base + start, bytes.count - start, wanted, wanted.count)
      else { return nil }
      return unsafe found - base
    }
  }
}
