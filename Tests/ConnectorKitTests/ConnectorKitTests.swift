import Testing

@Suite("ConnectorKit") struct ConnectorKitTests {}
