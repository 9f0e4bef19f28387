/// Lets one task after the other do something that must not be done twice at a time.
actor Turns {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// Runs `body` as soon as those have ended who came before; what it needs stays on its own isolation.
  nonisolated func take<Result: Sendable>(_ body: () async -> Result) async -> Result {
    await begin()
    let result = await body()
    await end()
    return result
  }

  private func begin() async {
    guard isTaken else {
      isTaken = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func end() {
    if waiting.isEmpty {
      isTaken = false
    } else {
      waiting.removeFirst().resume()
    }
  }
}
