internal import ConnectorKit
internal import JSON
internal import Platform

/// `printer-uplink doctor`: finds out what is wrong, the cause first, and what to do about it.
struct DoctorCommand {
  /// How to print.
  struct Options: Equatable {
    var isJSON = false
    var isReport = false
    /// Where the report goes; `-` is standard output, nil a file in the present folder.
    var output: String?
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
      return await report(diagnosis, path)
    } else {
      terminal.say(
        diagnosis.text(usesColours: terminal.usesColours(loader.environment)), terminator: "")
    }
    return diagnosis.isHealthy ? 0 : 1
  }

  /// Writes the report.
  ///
  /// - Returns: 0 where it is written, whatever is wrong: it is made for that case; else 1.
  private func report(_ diagnosis: Diagnosis, _ path: String) async -> Int32 {
    let loaded = loader.load(path)
    let report = SupportReport(
      diagnosis: diagnosis, configurationPath: path,
      redaction: Redaction(
        registry: loader.registry, configuration: loaded.configuration,
        beside: SecretSearch(loader: loader, path: path).secrets(loaded.configuration)),
      logFile: loaded.configuration?.log.file ?? ConfigurationGlance.logFile(in: path))
    do {
      let text: String? = try await offload { [options, time] in
        if options.output == "-" { return report.text }
        let file = try report.write(to: options.output, at: time.wallTime)
        return
          "\(file) is written. Read it before you send it: names and addresses of your house are in it.\n"
      }
      terminal.say(text ?? "", terminator: "")
      return 0
    } catch {
      terminal.complain(
        "\(Product.name): \(error); write it elsewhere with --output FILE, or '--output -' to print it"
      )
      return 1
    }
  }
}
