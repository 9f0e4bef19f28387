import Testing

@Suite("PrintDock") struct PrintDockTests {}
