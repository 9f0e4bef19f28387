internal import ConnectorKit
internal import Networking
internal import Platform

extension Observations {
  /// Less than this many free bytes is a full disk.
  static let leastSpace: Int64 = 16 << 20
  /// Less than this should be looked at.
  static let scarceSpace: Int64 = 100 << 20

  /// What was seen, as checks in the order of cause and effect. Pure.
  var checkups: [Checkup] {
    var all = [configuration]
    guard isUsable else { return all }
    all += [stateFolder, disk, running, clock, network, names]
    all += proxies.indices.map(proxy)
    all += [reachMoonraker, klippy, webcam]
    all += agents.map(agent)
    for cloud in clouds { all += checkups(of: cloud) }
    for backend in inbound { all += checkups(of: backend) }
    if let control { all.append(page(control.address, control.problem)) }
    return all
  }

  // MARK: This host

  private var configuration: Checkup {
    let errors = file.findings.filter { $0.finding.severity == .error }
    let warnings = file.findings.filter { $0.finding.severity == .warning }
    func outcome(
      _ found: [LocatedFinding], _ make: (String, String) -> Checkup.Outcome
    ) -> Checkup.Outcome? {
      guard let first = found.first else { return nil }
      let more = found.count > 1 ? " (and \(found.count - 1) more: '\(Product.name) validate')" : ""
      let key = first.finding.key.isEmpty ? "" : "\(first.finding.key): "
      let place = first.line > 0 ? ":\(first.line)" : ""
      return make(
        "\(first.file)\(place): \(key)\(first.finding.problem)\(more)", first.finding.remedy)
    }
    return Checkup(
      "configuration", "Configuration",
      outcome(errors) { .bad(problem: $0, remedy: $1) }
        ?? outcome(warnings) { .warning(problem: $0, remedy: $1) } ?? .good(file.path))
  }

  private var stateFolder: Checkup {
    let outcome: Checkup.Outcome =
      switch state {
      case .missing(let path): .good("\(path) is made at the first start")
      case .usable(let path, _, isReadOnly: false): .good(path)
      case .usable(let path, _, isReadOnly: true):
        .bad(
          problem: "\(path) lies on a disk that cannot be written",
          remedy: "look at the disk: 'sudo dmesg | grep -i -e mmc -e ext4', then exchange the card")
      case .unusable(let problem):
        .bad(
          problem: problem,
          remedy: "sudo \(Product.name) doctor -c \(file.path); or correct state_directory")
      }
    return Checkup("state", "State folder", needs: ["configuration"], outcome)
  }

  private var disk: Checkup {
    var outcome = Checkup.Outcome.unknown("there is no state folder yet")
    if case .usable(let path, let free, _) = state {
      let text = "\(free >> 20) MB free at \(path)"
      let remedy =
        "free some space: 'sudo journalctl --vacuum-size=50M', or delete old G-code files"
      if hasNoInodes {
        outcome = .bad(
          problem: "the disk is full: no file can be made at \(path) (inodes)",
          remedy: "find the many small files: 'sudo du --inodes -x -d 3 / | sort -n | tail'")
      } else if free < Self.leastSpace {
        outcome = .bad(problem: "the disk is full: \(text)", remedy: remedy)
      } else if free < Self.scarceSpace {
        outcome = .warning(problem: "the disk is nearly full: \(text)", remedy: remedy)
      } else {
        outcome = .good(text)
      }
    }
    return Checkup("disk", "Disk", needs: ["state"], outcome)
  }

  private var running: Checkup {
    let outcome: Checkup.Outcome =
      switch daemon {
      case .running(_, let journal?, _):
        .bad(
          problem: "commands cannot be journalled: \(journal)",
          remedy: "free some space on the disk and look at the state folder's owner")
      case .running(_, _, let reload?):
        .warning(problem: "the file was not taken over: \(reload)", remedy: "correct it")
      case .running(let version, _, _):
        version == nil || version == Product.version
          ? .good("runs, version \(version ?? Product.version)")
          : .warning(
            problem: "runs in version \(version ?? ""), this program is \(Product.version)",
            remedy: "restart it: sudo systemctl restart \(Product.name)")
      case .absent: .good("does not run; everything is looked at from here")
      case .unknown: .unknown("its state folder cannot be looked into")
      case .unreachable(let problem, let remedy): .bad(problem: problem, remedy: remedy)
      }
    return Checkup("daemon", "Daemon", needs: ["configuration", "state", "disk"], outcome)
  }

  // MARK: The way out

  /// How far this host's clock is ahead (negative: behind) by the cloud that says so least; nil: nobody said.
  var clockError: Duration? {
    clouds.compactMap(\.clockError).min { abs($0) < abs($1) }
  }

  /// Whether it is this host's clock that is off, and not a cloud's: others agree, or it is nobody's business to keep it
  /// right, or the cloud has proved who it is.
  private var isOwnClock: Bool {
    let errors = clouds.compactMap(\.clockError)
    guard let least = errors.min(), let most = errors.max() else { return false }
    guard most - least < Self.tolerance else { return false }
    return errors.count > 1 || isClockSynchronized == false
      || clouds.contains { $0.clockError != nil && $0.address?.isSecure == true }
  }
  /// So much a clock may be off.
  private static let tolerance = Duration.seconds(120)

  private var clock: Checkup {
    let remedy = "set it: 'sudo timedatectl set-ntp true', and see that UDP port 123 gets out"
    let today = "this host's clock says \(wallTime.rfc3339Seconds.prefix(10))"
    let expired = clouds.filter(\.isExpired)
    let outcome: Checkup.Outcome
    if let error = clockError, abs(error) >= Self.tolerance {
      let much = "\(Self.span(error)) \(error > .zero ? "ahead" : "behind")"
      outcome =
        isOwnClock
        ? .bad(problem: "this host's clock is \(much)", remedy: remedy)
        : .warning(problem: "this host's clock is \(much), or the clouds' are off", remedy: remedy)
    } else if let error = clockError {
      outcome = .good("right to \(Self.span(max(abs(error), .seconds(1))))")
    } else if clouds.contains(where: { $0.failure?.kind == .certificateNotYetValid }) {
      outcome = .bad(
        problem: "a cloud's certificate is not yet valid: \(today), which is in the past",
        remedy: remedy)
    } else if !expired.isEmpty,
      isClockSynchronized == false || Set(expired.map { $0.address?.host }).count > 1
    {
      // One cloud may forget its certificate; several at once, or a clock that nobody keeps, speak against the clock.
      let why = isClockSynchronized == false ? "no time service keeps it" : "several clouds at once"
      outcome = .bad(
        problem: "a cloud's certificate has run out, and \(today) (\(why)): it may be ahead",
        remedy: remedy)
    } else {
      outcome = .unknown("no cloud has said what time it is")
    }
    return Checkup("clock", "Clock", outcome)
  }

  private func abs(_ duration: Duration) -> Duration {
    duration < .zero ? .zero - duration : duration
  }

  private static func span(_ duration: Duration) -> String {
    let seconds = Swift.abs(duration.components.seconds)
    if seconds >= 2 * 86_400 { return "\(seconds / 86_400) days" }
    if seconds >= 2 * 3_600 { return "\(seconds / 3_600) hours" }
    return seconds >= 120 ? "\(seconds / 60) minutes" : "\(seconds) s"
  }

  /// Clouds that are on no address of this host.
  private var distant: [Cloud] { clouds.filter { $0.address.map { !$0.isLoopback } ?? false } }

  private var network: Checkup {
    let remedy = "look at the cable or the Wi-Fi, and at the router: 'ip route'"
    return Checkup(
      "network", "Network",
      distant.isEmpty
        ? .good("no cloud is on another host")
        : hasRoute || distant.contains { $0.isReached }
          ? .good("there is a way out")
          : .bad(problem: "there is no route to other networks", remedy: remedy))
  }

  private var names: Checkup {
    let asked = clouds.filter { $0.lookup != .notNeeded }
    let silent = asked.compactMap { cloud in
      if case .noAnswer(let reason) = cloud.lookup { (cloud, reason) } else { nil }
    }
    let outcome: Checkup.Outcome
    if let (cloud, reason) = silent.first, silent.count == asked.count {
      outcome = .bad(
        problem: "no name can be resolved (\(cloud.address?.host ?? ""): \(reason))",
        remedy: "correct the name servers in /etc/resolv.conf, or the router's")
    } else {
      outcome = .good(asked.isEmpty ? "no name had to be resolved" : "names are resolved")
    }
    return Checkup("dns", "Names (DNS)", needs: ["network"], outcome)
  }

  /// What the check of the proxy at `url` is called.
  func proxyCheck(_ url: String) -> String {
    let index = proxies.firstIndex { $0.url == url } ?? 0
    return index == 0 ? "proxy" : "proxy.\(index + 1)"
  }

  private func proxy(_ index: Int) -> Checkup {
    let (url, failure) = proxies[index]
    let behind = clouds.filter { $0.proxy == url }
    let setting = "network.proxy (or https_proxy in /etc/printer-uplink/env)"
    var outcome = Checkup.Outcome.good(Self.safe(url))
    if let failure {
      outcome = .bad(
        problem: "\(Self.safe(url)): \(failure.message)",
        remedy: "correct \(setting), or start the proxy")
    } else if behind.contains(where: \.proxyWantsLogin) {
      outcome = .bad(
        problem: "\(Self.safe(url)) wants a user and a password (407)",
        remedy: "write them into \(setting): http://USER:PASSWORD@HOST:PORT")
    } else if let first = behind.first(where: { $0.failure != nil }),
      let why = first.failure, !behind.contains(where: \.isReached)
    {
      // What it lets through answers; where nothing does, it stands between.
      let name = first.address?.host ?? first.name
      if why.message.contains(text: "the proxy answered") {
        outcome = .bad(
          problem: "\(Self.safe(url)) lets nothing through: \(why.message)",
          remedy: "correct \(setting), or have \(name) allowed there")
      } else if why.kind == .tls, !first.isExpired {
        outcome = .bad(
          problem: "\(Self.safe(url)) opens what goes through it: \(why.message)",
          remedy:
            "name its authority as network.ca_file, or go past it: no_proxy=\(name) in /etc/printer-uplink/env"
        )
      } else if [.connect, .closed, .protocolViolation].contains(why.kind) {
        outcome = .bad(
          problem: "\(Self.safe(url)) breaks what goes through it: \(why.message)",
          remedy: "correct \(setting), or go past it: no_proxy=\(name) in /etc/printer-uplink/env")
      }
    }
    return Checkup(proxyCheck(url), "Proxy", needs: ["network"], outcome)
  }

  /// A proxy's URL without the user and the password that it may hold.
  static func safe(_ url: String) -> String {
    guard let at = url.lastIndex(of: "@"), let scheme = url.firstRange(ofText: "://") else {
      return url
    }
    return "\(url[..<scheme.upperBound])…\(url[at...])"
  }

  // MARK: The printer

  private var reachMoonraker: Checkup {
    let outcome: Checkup.Outcome =
      switch moonraker {
      case nil: .unknown("it was not asked")
      case .answered(let version, let failed, _):
        failed.isEmpty
          ? .good("\(moonrakerAddress), \(version)")
          : .warning(
            problem: "some of its components failed: \(failed.joined(separator: ", "))",
            remedy: "look into ~/printer_data/logs/moonraker.log")
      case .unauthorized(hasKey: true):
        .bad(
          problem: "\(moonrakerAddress) does not accept the API key",
          remedy: "take the key from Mainsail or Fluidd and write it into printer.api_key_file")
      case .unauthorized(hasKey: false):
        .bad(
          problem: "\(moonrakerAddress) asks for an API key",
          remedy:
            "name a file with the key as printer.api_key_file, or add this host to trusted_clients in moonraker.conf"
        )
      case .foreign(let said):
        .bad(
          problem: "what answers at \(moonrakerAddress) is not Moonraker: \(said)",
          remedy: "correct printer.moonraker; Moonraker's own port is 7125")
      case .failed(.connect, let message):
        .bad(
          problem: message,
          remedy: "start it: 'sudo systemctl start moonraker'; or correct printer.moonraker")
      case .failed(_, let message):
        .bad(
          problem: message,
          remedy: "restart it: 'sudo systemctl restart moonraker'; or correct printer.moonraker")
      }
    return Checkup("moonraker", "Moonraker", needs: ["configuration"], outcome)
  }

  private var klippy: Checkup {
    var outcome = Checkup.Outcome.unknown("Moonraker was not reached")
    if case .answered(_, _, let klippy) = moonraker {
      let words = klippy.message.isEmpty ? "" : ": \(klippy.message)"
      switch klippy.state {
      case "ready": outcome = .good("ready")
      case "startup":
        outcome = .warning(problem: "Klipper is starting\(words)", remedy: "wait a moment")
      case "disconnected":
        outcome = .bad(
          problem: "Moonraker does not reach Klipper",
          remedy: "start it: 'sudo systemctl start klipper'")
      default:
        outcome = .bad(
          problem: "\(klippy.state)\(words)",
          remedy: "mend what it says, then FIRMWARE_RESTART in Mainsail or Fluidd")
      }
    }
    return Checkup("klippy", "Klipper", needs: ["moonraker"], outcome)
  }

  private var webcam: Checkup {
    let outcome: Checkup.Outcome =
      switch camera {
      case nil: .unknown("Moonraker was not reached")
      case Camera.none?: .good("no camera is set up in Moonraker")
      case .picture(let bytes, let type)?: .good("a picture of \(bytes >> 10) kB (\(type))")
      case .failed(let failure)?:
        .bad(
          problem: failure.description,
          remedy:
            "restart it: 'sudo systemctl restart crowsnest'; or correct its address in Moonraker")
      }
    return Checkup("webcam", "Webcam", needs: ["moonraker"], outcome)
  }

  private func agent(_ found: Agent) -> Checkup {
    let list = found.processes.map { "\($0)" }.joined(separator: ", ")
    return Checkup(
      "agent.\(found.backend)", "\(found.backend): original agent", needs: ["configuration"],
      found.processes.isEmpty
        ? .good("\(found.agent.program) does not run here")
        : .bad(
          problem:
            "\(found.agent.program) still runs here (process \(list)): two with one pairing run every command twice",
          remedy: found.agent.stopAdvice))
  }

  private func page(_ address: String, _ problem: String?) -> Checkup {
    Checkup(
      "page", "Status page", needs: ["configuration", "state", "daemon"],
      problem.map {
        .bad(problem: $0, remedy: "end that program, or set control.listen to another port")
      } ?? .good("http://\(address)/"))
  }
}
