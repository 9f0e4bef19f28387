import Testing

@Suite("YAML") struct YAMLTests {}
