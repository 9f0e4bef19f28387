import BuiltinConnectors
import ConnectorHost
import Glibc

/// The program: hands the command line and the registry to the host.
@main
struct PrinterUplink {
  static func main() async {
    let program = CommandLineProgram(registry: builtinConnectors)
    exit(await program.run(Array(CommandLine.arguments.dropFirst())))
  }
}
