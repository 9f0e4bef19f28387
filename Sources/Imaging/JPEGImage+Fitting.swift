extension JPEGImage {
  /// The picture in at most so many bytes and pixels a side: as it is where it fits, else compressed more, else smaller.
  ///
  /// - Parameters:
  ///   - maximumBytes: the most bytes of the file.
  ///   - maximumSide: the longest side in pixels; nil: as it is. What comes out may be up to an eighth smaller.
  /// - Throws: `ImageError`; `tooLarge` when even an eighth of each side has too many bytes.
  package func fitted(maximumBytes: Int, maximumSide: Int? = nil) throws(ImageError) -> JPEGImage {
    let side = max(1, maximumSide ?? longestSide)
    if bytes.count <= maximumBytes, longestSide <= side { return self }
    guard let start = (1...8).last(where: { Self.scaled(longestSide, eighths: $0) <= side }) else {
      // More than an eighth is too far for one step.
      let smaller = try JPEGImage(decoded(eighths: 1).encoded(quality: Self.usualQuality))
      guard smaller.longestSide < longestSide else { throw tooLarge(maximumBytes) }
      return try smaller.fitted(maximumBytes: maximumBytes, maximumSide: side)
    }
    var eighths = start
    while true {
      var search = QualitySearch(maximumBytes: maximumBytes)
      try search.run(on: decoded(eighths: eighths))
      if let best = search.best { return try JPEGImage(best) }
      guard eighths > 1 else { throw tooLarge(maximumBytes) }
      // Bytes go with the area, roughly: the largest step that may do.
      let excess = search.smallest / max(1, maximumBytes)
      eighths = excess >= 16 ? max(1, eighths / 4) : excess >= 4 ? max(1, eighths / 2) : eighths - 1
    }
  }

  private func tooLarge(_ maximumBytes: Int) -> ImageError {
    ImageError("the picture cannot be made as small as \(maximumBytes) bytes", kind: .tooLarge)
  }
}

extension QualitySearch {
  /// Searches to the end.
  fileprivate mutating func run(on image: borrowing PixelImage) throws(ImageError) {
    while let quality = next { take(try image.encoded(quality: quality)) }
  }
}
