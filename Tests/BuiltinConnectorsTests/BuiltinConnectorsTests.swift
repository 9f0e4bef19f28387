import Testing

@Suite("BuiltinConnectors") struct BuiltinConnectorsTests {}
