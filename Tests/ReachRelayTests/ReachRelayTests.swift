import Testing

@Suite("ReachRelay") struct ReachRelayTests {}
