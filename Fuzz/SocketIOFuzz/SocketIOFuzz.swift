import FuzzProperties

/// What libFuzzer calls.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzSocketIO(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  checkSocketIO(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
