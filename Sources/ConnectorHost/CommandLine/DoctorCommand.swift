internal import ConnectorKit
internal import JSON
internal import Platform

/// `printer-uplink doctor`: finds out what is wrong, the cause first, and what to do about it.
struct DoctorCommand {
  /// How to print.
  struct Options: Equatable {
    var isJSON = false
    var isReport = false
  }
  /// The same loader as `run`.
  let loader: ConfigurationLoader
  /// Where to write.
  let terminal: Terminal
  let options: Options
  let time: any TimeSource

  /// Looks at everything for the configuration file at `path`, and prints what was found.
  ///
  /// - Returns: 0 where nothing is wrong, else 1.
  func run(_ path: String) async -> Int32 {
    let rights: DaemonRights
    do { rights = try DaemonRights(for: path, loader: loader, .acting) } catch {
      terminal.complain("\(Product.name): \(error)")
      return 1
    }
    defer { rights.giveBack() }
    let loader = rights.loader
    let seen = await Examiner(loader: loader, time: time).observe(path)
    let diagnosis = Diagnosis(seen.checkups)
    if options.isJSON {
      terminal.say(PrettyJSON.text(diagnosis.document), terminator: "")
    } else if options.isReport {
      let configuration = loader.load(path).configuration
      terminal.say(
        SupportReport(
          diagnosis: diagnosis, configurationPath: path,
          redaction: Redaction(registry: loader.registry, configuration: configuration),
          logFile: configuration?.log.file
        ).text, terminator: "")
    } else {
      terminal.say(
        diagnosis.text(usesColours: terminal.usesColours(loader.environment)), terminator: "")
    }
    return diagnosis.isHealthy ? 0 : 1
  }
}
