package import ConnectorKit
internal import JSON
internal import Platform

/// Lets Ultimaker Cura find the printer as if it were one of its own: it sends prints, and shows them. The wire:
/// `docs/connectors/cura.md`.
package struct CuraConnectBackend: ConnectorBackend {
  let hub: CuraHub

  /// Reads the settings and the identity; makes one at the first start. Touches no network.
  package init(settings: Settings, context: BackendContext) async throws {
    let configuration = try CuraConfiguration(
      settings, entry: context.name, printerName: context.printerName)
    var stored = try await context.identity.load() ?? JSONObject()
    let identity: CuraIdentity
    if let known = CuraIdentity(stored) {
      identity = known
    } else {
      // Cura remembers both for ever: they are on the disk before anybody is told.
      identity = .new()
      stored["printer_uuid"] = .string(identity.printerUUID)
      stored["instance"] = .string(identity.instance)
      try await context.identity.save(stored)
    }
    hub = CuraHub(
      configuration: configuration, context: context, identity: identity,
      keeper: IdentityKeeper(stored, context: context))
  }

  /// Listens and is found until cancelled.
  package func run() async throws {
    do {
      try await loops()
    } catch {
      // What the last of the work has changed is kept too.
      await hub.keeper.finish()
      throw error
    }
    // All of them end by cancellation only.
    throw CancellationError()
  }

  private func loops() async throws {
    let standing = CuraStanding(hub.context)
    try await withThrowingDiscardingTaskGroup { group in
      let hub = hub
      group.addTask { await hub.work.run() }
      group.addTask { try await hub.keeper.run() }
      group.addTask { try await JobFollower(hub: hub, standing: standing).run() }
      group.addTask { try await AutoStarter(hub: hub).run() }
      group.addTask { try await ListenLoop(hub: hub, standing: standing).run() }
      group.addTask { try await AdvertisingLoop(hub: hub, standing: standing).run() }
      if let place = hub.configuration.cameraProxy {
        group.addTask { try await CameraLoop(hub: hub, place: place).run() }
      }
    }
  }

  /// Nothing: the far side comes to us.
  package func runOnce() async throws {}
}
