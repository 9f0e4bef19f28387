internal import JSON
internal import Platform

/// The cameras that Moonraker knows: asked for once, then kept until Moonraker says that the list has changed.
package final class MoonrakerWebcams: Sendable {
  private struct Kept {
    var webcams: [WebcamDescription]
    var revision: UInt64
  }
  private let caller: any MoonrakerCaller
  private let cache: StatusCache
  private let kept = Guarded<Kept?>(nil)

  /// The cameras behind `caller`.
  ///
  /// - Parameter cache: what the link feeds; it hears of changes.
  package init(caller: any MoonrakerCaller, cache: StatusCache) {
    self.caller = caller
    self.cache = cache
  }

  /// All cameras in Moonraker's order, those that are not enabled included. Safe from any thread.
  ///
  /// - Returns: none on a Moonraker that has no cameras at all.
  /// - Throws: `RPCFailure`, after 10 s at the latest.
  package func list() async throws(RPCFailure) -> [WebcamDescription] {
    // Read before the call: a change while it is under way makes its answer one of yesterday.
    let revision = cache.webcamsRevision
    if let kept = kept.withLock({ $0 }), kept.revision == revision { return kept.webcams }
    let webcams: [WebcamDescription]
    do throws(RPCFailure) {
      let answer = try await caller.call("server.webcams.list", nil, timeout: .seconds(10))
      webcams = (answer["webcams"]?.array ?? []).compactMap(WebcamDescription.init)
    } catch {
      guard error.isMissing else { throw error }
      webcams = []
    }
    kept.withLock { $0 = Kept(webcams: webcams, revision: revision) }
    return webcams
  }
}
