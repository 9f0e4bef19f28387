/// What is looked at, at most.
package enum ImageLimits {
  /// The most bytes of a picture: 10 MiB.
  package static let bytes = 10 << 20
  /// The most pixels of a picture: 64 megapixels.
  package static let pixels = 64_000_000
}
