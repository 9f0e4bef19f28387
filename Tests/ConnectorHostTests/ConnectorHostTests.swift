import Testing

@Suite("ConnectorHost") struct ConnectorHostTests {}
