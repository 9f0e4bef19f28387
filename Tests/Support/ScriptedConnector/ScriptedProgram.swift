import BuiltinConnectors
import ConnectorHost
import Glibc

/// The daemon with one connector more: the one that a test drives by script.
@main
struct ScriptedProgram {
  static func main() async {
    let program = CommandLineProgram(registry: builtinConnectors + [ScriptedBackend.self])
    exit(await program.run(Array(CommandLine.arguments.dropFirst())))
  }
}
