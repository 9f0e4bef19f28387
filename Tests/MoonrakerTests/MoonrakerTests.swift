import Testing

@Suite("Moonraker") struct MoonrakerTests {}
