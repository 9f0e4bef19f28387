import JSON

/// What libFuzzer calls: any bytes are refused, or read as a value that is written and read alike.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: 1 << 16)) else {
    return 0
  }
  let written = value.serialized()
  guard let again = try? JSONValue(parsing: written) else {
    fatalError("what was written cannot be read")
  }
  precondition(again == value, "what was written is read as something else")
  precondition(again.serialized() == written, "what was read is written in another way")
  precondition(again.hashValue == value.hashValue, "equal values have different hashes")
  return 0
}
