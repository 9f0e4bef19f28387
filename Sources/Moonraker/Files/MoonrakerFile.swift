/// A file of root `gcodes` as it lies on the printer's disk.
package struct MoonrakerFile: Sendable, Hashable {
  /// Bytes.
  package var size: Int64
  /// When it was changed, seconds since 1970.
  package var modified: Double
}
