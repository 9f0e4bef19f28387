internal import ConnectorKit
internal import JSON
internal import Platform

/// `printer-uplink status`: how the printer and the backends of the running daemon stand.
struct StatusCommand {
  /// How to print.
  struct Options: Equatable {
    var isJSON = false
    var watches = false
    var showsToken = false
  }
  /// How long to wait between two looks.
  static let period = Duration.seconds(2)

  /// Where to write.
  let terminal: Terminal
  let options: Options
  let time: any TimeSource

  /// Shows the daemon of this place; with `watches`, until the task is cancelled.
  ///
  /// - Returns: 0; 1 where no daemon answers at the first look, or one that runs with another file.
  func run(_ place: StatePlace) async -> Int32 {
    let environment = place.loader.environment
    let socket = ControlSocket(environment: environment, stateDirectory: place.folder)
    let client = DaemonClient(
      path: socket.clientPath, purpose: "how things stand, only a running one knows",
      patience: 5)
    var text = await look(client, place)
    if case .failure(let failure) = text {
      complain(failure)
      return 1
    }
    show(text, environment)
    while options.watches {
      do { try await time.sleep(for: Self.period) } catch { return 0 }
      text = await look(client, place)
      show(text, environment)
    }
    return 0
  }

  /// Shows the token of the control listener's file.
  ///
  /// - Returns: 0; 1 where there is none, or it cannot be read.
  func showToken(of control: Configuration.ControlSection?) -> Int32 {
    guard let control else {
      return fail("the configuration has errors; '\(Product.name) validate' says which")
    }
    guard let path = control.tokenFile else {
      return fail(
        "control.token_file is not set: only somebody on this host may change something, and needs no token"
      )
    }
    do throws(FileProblem) {
      terminal.say(try ValueFile.read(path))
      return 0
    } catch {
      return fail(
        "\(error.problem); the daemon makes the file at its start, and only its user may read it")
    }
  }

  private func look(
    _ client: DaemonClient, _ place: StatePlace
  ) async -> Result<String, DaemonClient.Failure> {
    do throws(DaemonClient.Failure) {
      let answer = try await client.ask(.status)
      guard let body = DaemonClient.body(of: answer),
        let document = try? JSONValue(parsing: body, limits: JSONLimits(bytes: 1 << 20, depth: 16)),
        document["version"]?.integer != nil
      else {
        throw DaemonClient.Failure(
          problem: "the daemon's answer is not understood; is it of the same version?")
      }
      if let mismatch = ConfigurationFile.mismatch(document, meant: place.identity) {
        throw DaemonClient.Failure(problem: mismatch)
      }
      guard !options.isJSON else {
        return .success(document.printable + "\n")
      }
      return .success(StatusTable(document).text)
    } catch {
      return .failure(error)
    }
  }

  private func show(
    _ text: Result<String, DaemonClient.Failure>, _ environment: [String: String]
  ) {
    // On a terminal the newest takes the place of the one before.
    if options.watches, !options.isJSON, terminal.isTerminal {
      terminal.say("\u{1B}[H\u{1B}[2J", terminator: "")
    }
    switch text {
    case .success(let text): terminal.say(text, terminator: "")
    case .failure(let failure): complain(failure)
    }
  }

  private func complain(_ failure: DaemonClient.Failure) { _ = fail(failure.problem) }

  private func fail(_ problem: String) -> Int32 {
    terminal.complain("\(Product.name): \(problem.onOneLine)")
    return 1
  }
}
