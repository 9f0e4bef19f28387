package import ConnectorKit
internal import CuraConnect
internal import PHPHub
internal import PolarCloud
internal import PrintDock
internal import ReachRelay

/// The static registry: every connector of this build, in the order in which they are shown.
package let builtinConnectors: [any ConnectorBackend.Type] = [
  ReachRelayBackend.self,
  PrintDockBackend.self,
  PHPHubBackend.self,
  PolarCloudBackend.self,
  CuraConnectBackend.self,
]
