import FuzzProperties

/// What libFuzzer calls.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzEngineIO(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  checkEngineIO(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
