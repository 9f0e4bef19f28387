// swift-tools-version: 6.2
import PackageDescription

// The dependencies below are the drawing of the house: arrows point down only
// (docs/ARCHITECTURE.md). SwiftPM refuses an import that is not named here.

let common: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
]
/// Without the implicit import of `_StringProcessing`: one use of its `split` or `contains` links the
/// whole regex engine (1.4 MB of binary, up to 1.9 MB resident).
let ships =
  common + [
    .strictMemorySafety(),
    .unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"]),
  ]

/// No symbols in what ships; `make link-order` needs them.
let stripped = Context.environment["UPLINK_KEEP_SYMBOLS"] == nil ? ["-Xlinker", "-s"] : []

/// lld instead of the default linker: full RELRO, smaller relocations, and the functions that are used side by side
/// (Benchmarks/link_order.py says why).
let hardened: [LinkerSetting] = [
  .unsafeFlags(
    [
      "-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "now", "-Xlinker", "-z",
      "-Xlinker", "pack-relative-relocs", "-Xlinker", "--no-export-dynamic",
      "-Xlinker", "--icf=safe", "-Xlinker", "--no-warn-symbol-ordering", "-Xlinker",
      "--symbol-ordering-file=\(Context.packageDirectory)/Benchmarks/link-order.txt",
    ] + stripped, .when(configuration: .release))
]

/// One system library: a module map and a shim, nothing more.
func clib(_ name: String) -> Target {
  .systemLibrary(name: name, path: "Sources/CLibraries/\(name)")
}

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: ships)
}

func connector(_ name: String, _ more: [Target.Dependency] = []) -> Target {
  .target(
    name: name,
    dependencies: [
      "Archives", "ConnectorKit", "Cryptography", "JSON", "Networking", "Platform", "SocketIO",
    ] + more,
    path: "Plugins-Builtin/\(name)", swiftSettings: ships)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies + ["TestSupport"],
    path: "Tests/\(name)Tests", exclude: [], swiftSettings: common)
}

let clibs = [
  "CAvahi", "CCrypto", "CCurl", "CExpat", "CMicroHTTPD", "CPlatform", "CSQLite", "CTurboJPEG",
  "CWslay", "CYAML", "CZlib",
].map(clib)

let wrappers: [Target] = [
  module("Platform", ["CPlatform"]),
  module("JSON"),
  module("YAML", ["CYAML", "Platform"]),
  module("Cryptography", ["CCrypto"]),
  module("Networking", ["CCrypto", "CCurl", "CWslay", "Platform"]),
  module("SocketIO", ["JSON", "Networking", "Platform"]),
  module("HTTPServer", ["CMicroHTTPD", "Platform"]),
  module("Database", ["CSQLite", "Platform"]),
  module("Imaging", ["CTurboJPEG"]),
  module("Archives", ["CZlib", "Platform"]),
  module("ServiceDiscovery", ["CAvahi", "Platform"]),
  module("XML", ["CExpat"]),
]

let host: [Target] = [
  module("ConnectorKit", ["HTTPServer", "JSON", "Networking", "Platform"]),
  module("Moonraker", ["ConnectorKit", "Cryptography", "JSON", "Networking", "Platform"]),
  module(
    "ConnectorHost",
    [
      "ConnectorKit", "Cryptography", "Database", "HTTPServer", "Imaging", "JSON", "Moonraker",
      "Networking", "Platform", "ServiceDiscovery", "YAML",
    ]),
]

let connectors: [Target] = [
  connector("CuraConnect", ["HTTPServer", "XML"]),
  connector("PHPHub"),
  connector("PolarCloud"),
  connector("PrintDock"),
  connector("ReachRelay"),
  .target(
    name: "BuiltinConnectors",
    dependencies: [
      "ConnectorKit", "CuraConnect", "PHPHub", "PolarCloud", "PrintDock", "ReachRelay",
    ],
    path: "Plugins-Builtin/BuiltinConnectors", swiftSettings: ships),
]

let program: [Target] = [
  .executableTarget(
    name: "printer-uplink",
    dependencies: ["BuiltinConnectors", "ConnectorHost", "ConnectorKit", "Platform"],
    swiftSettings: ships, linkerSettings: hardened)
]

let testing: [Target] = [
  .target(
    name: "TestSupport",
    dependencies: [
      "ConnectorKit", "Cryptography", "HTTPServer", "JSON", "Networking", "Platform",
    ],
    path: "Tests/Support/Swift", swiftSettings: common),
  .executableTarget(
    name: "printer-uplink-scripted",
    dependencies: [
      "BuiltinConnectors", "ConnectorHost", "ConnectorKit", "JSON", "Networking", "Platform",
    ],
    path: "Tests/Support/ScriptedConnector", swiftSettings: common),
  .target(
    name: "FuzzProperties", dependencies: ["Platform", "SocketIO"], path: "Fuzz/Properties",
    swiftSettings: common),
  tests("Platform", ["Platform"]),
  tests("JSON", ["JSON"]),
  tests("YAML", ["YAML"]),
  tests("Cryptography", ["Cryptography"]),
  tests("Database", ["Database", "Platform"]),
  tests("Imaging", ["Imaging"]),
  tests("Archives", ["Archives", "Platform"]),
  tests("ServiceDiscovery", ["Platform", "ServiceDiscovery"]),
  tests("Networking", ["Networking", "Platform"]),
  tests("SocketIO", ["FuzzProperties", "JSON", "Networking", "Platform", "SocketIO"]),
  tests("HTTPServer", ["HTTPServer", "Networking", "Platform"]),
  tests("ConnectorKit", ["ConnectorKit", "JSON", "Networking", "Platform"]),
  tests("Moonraker", ["ConnectorKit", "JSON", "Moonraker", "Networking", "Platform"]),
  tests(
    "ConnectorHost",
    [
      "BuiltinConnectors", "ConnectorHost", "ConnectorKit", "Cryptography", "HTTPServer", "Imaging",
      "JSON", "Moonraker", "Networking", "Platform", "ServiceDiscovery", "YAML",
      "printer-uplink-scripted",
    ]),
  tests(
    "PHPHub",
    ["ConnectorKit", "Cryptography", "JSON", "Networking", "PHPHub", "Platform"]),
  tests(
    "PolarCloud",
    ["ConnectorKit", "Cryptography", "JSON", "Networking", "Platform", "PolarCloud", "SocketIO"]),
  tests("PrintDock", ["Archives", "ConnectorKit", "JSON", "Networking", "Platform", "PrintDock"]),
  tests("ReachRelay", ["ConnectorKit", "JSON", "Networking", "Platform", "ReachRelay"]),
  tests("XML", ["XML"]),
  tests(
    "CuraConnect",
    [
      "Archives", "ConnectorKit", "Cryptography", "CuraConnect", "HTTPServer", "JSON", "Networking",
      "Platform",
    ]),
  tests(
    "BuiltinConnectors",
    ["BuiltinConnectors", "ConnectorHost", "ConnectorKit", "JSON", "Networking", "Platform"]),
]

/// Executables for libFuzzer, present only on demand: see Fuzz/README.md.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Fuzz/\(name)", swiftSettings: common)
}

let fuzzing: [Target] =
  Context.environment["UPLINK_FUZZ"] == nil
  ? []
  : [
    fuzzer("JSONFuzz", ["JSON"]), fuzzer("YAMLFuzz", ["YAML"]),
    fuzzer("EngineIOFuzz", ["FuzzProperties"]), fuzzer("SocketIOFuzz", ["FuzzProperties"]),
  ]

let package = Package(
  name: "printer-uplink",
  targets: clibs + wrappers + host + connectors + program + testing + fuzzing,
  swiftLanguageModes: [.v6])
