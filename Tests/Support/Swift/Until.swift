package import Testing

/// Yields until `condition` holds; records an issue when it does not within ten seconds.
package func until(
  _ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async {
  let patience = ContinuousClock.now.advanced(by: .seconds(10))
  while !condition() {
    guard ContinuousClock.now < patience else {
      Issue.record("what was waited for never came", sourceLocation: sourceLocation)
      return
    }
    await Task.yield()
  }
}
