package import ConnectorKit

extension CuraConnectBackend {
  /// `cura-definition`, for the identity that the entry has.
  package static func use(_ tool: String, _ call: ToolCall) throws(ToolFailure) -> ToolResult {
    try CuraDefinitionTool.run(
      call,
      identity: .init(
        number: call.settings[CuraSettings.bom], variant: call.settings[CuraSettings.machineVariant]
      ))
  }
}
