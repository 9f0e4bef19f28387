/// What kind of picture some bytes are, judged by the first of them.
package enum ImageKind: String, Sendable, Hashable, CaseIterable {
  case jpeg
  case png
  case webp

  /// The kind that `bytes` begin as; nil when they are none of the three.
  package init?(sniffing bytes: some Collection<UInt8>) {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
      self = .webp
    } else {
      return nil
    }
  }

  /// `image/jpeg`, `image/png` or `image/webp`.
  package var contentType: String { "image/\(rawValue)" }
}
