internal import ConnectorKit
internal import Networking
internal import Platform

extension Observations.Cloud {
  /// Why it did not answer; nil where it did.
  var failure: NetworkError? {
    if case .failure(let error) = answer { error } else { nil }
  }

  /// How far this host's clock is ahead of its (negative: behind); nil: it has not said.
  var clockError: Duration? {
    let clock = (try? answer?.get())?.clock ?? plainAnswer?.clock
    return clock.map { $0.theirs.duration(to: $0.ours) }
  }

  /// Whether its certificate has run out, by this host's clock.
  var isExpired: Bool {
    failure?.kind == .tls && failure?.message.contains(text: "expired") == true
  }

  /// Whether the proxy on the way wants to know who asks.
  var proxyWantsLogin: Bool {
    guard proxy != nil else { return false }
    if case .success(let answer) = answer { return answer.status == 407 }
    return failure?.message.contains(text: "the proxy answered 407") == true
  }

  /// Whether its own server answered.
  var isReached: Bool {
    guard !proxyWantsLogin, case .success(let answer) = answer else { return false }
    return answer.status != 511
  }
}

extension Observations.Account {
  /// Whether the daemon has not got the backend going.
  var isWithoutService: Bool {
    if case .running(let state, _, _, _) = self {
      ["starting", "backing off", "parked", "stopped"].contains(state)
    } else {
      true
    }
  }
}

extension Observations.Answer {
  /// Whether a network that wants a person to log in first has answered in place of `host`.
  func isPortal(insteadOf host: String) -> Bool {
    if status == 511 { return true }
    guard (300...399).contains(status), let target = location.flatMap(URLParts.init) else {
      return false
    }
    return Self.domain(target.host) != Self.domain(host)
  }

  /// The last two parts of a name; an address as a whole.
  private static func domain(_ host: String) -> String {
    if IPAddress(literal: host) != nil { return host }
    return host.split(separator: ".").suffix(2).joined(separator: ".")
  }
}

extension Observations {
  /// Whether it answers, and whether it knows us.
  func checkups(of cloud: Cloud) -> [Checkup] {
    let reach = "cloud.\(cloud.name)"
    let needs = ["network", "dns", "clock"] + (cloud.proxy.map { [proxyCheck($0)] } ?? [])
    return [
      Checkup(reach, "\(cloud.name): reachable", needs: ["configuration"] + needs, reached(cloud)),
      Checkup(
        "\(reach).account", "\(cloud.name): account",
        needs: ["configuration", "state", "disk", "daemon", reach, "agent.\(cloud.name)"],
        Self.outcome(of: cloud.account)),
    ]
  }

  private func reached(_ cloud: Cloud) -> Checkup.Outcome {
    guard let address = cloud.address else {
      return .unknown("\(cloud.setting) is not set; the pairing may hold it")
    }
    if case .unknownName = cloud.lookup {
      return .bad(
        problem: "there is no host \(address.host)", remedy: "correct \(cloud.setting)")
    }
    if case .noAnswer(let reason) = cloud.lookup {
      return .bad(
        problem: "\(address.host) cannot be resolved: \(reason)",
        remedy: "correct the name servers in /etc/resolv.conf")
    }
    // Who has proved to be the cloud may redirect as it likes; where nobody has, it is the network that does.
    let answer = try? cloud.answer?.get()
    let portal =
      answer?.status == 511
      ? answer : cloud.plainAnswer.flatMap { $0.isPortal(insteadOf: address.host) ? $0 : nil }
    if let portal {
      let target = portal.location.flatMap(URLParts.init).map { " (\($0.host))" } ?? ""
      return .bad(
        problem: "a login page of this network answers in place of \(address.host)\(target)",
        remedy: "log this host in to the network, or use another network")
    }
    switch cloud.answer {
    case nil: return .unknown("it was not asked")
    case .success where cloud.proxyWantsLogin:
      return .unknown("the proxy on the way wants a user and a password")
    case .success(let answer): return .good("\(address.hostAndPort) answers (\(answer.status))")
    case .failure(let error):
      return .bad(
        problem: error.message,
        remedy: cloud.isExpired
          ? "tell the cloud's owner: its certificate has run out"
          : [.connect, .timeout, .closed].contains(error.kind)
            ? "check \(cloud.setting); if the cloud is down, wait: it is tried again by itself"
            : error.kind.remedy(address: cloud.setting))
    }
  }

  /// A backend that others call.
  func checkups(of backend: Inbound) -> [Checkup] {
    let id = "inbound.\(backend.name)"
    var all: [Checkup] = []
    if let port = backend.port {
      all.append(
        Checkup(
          id, "\(backend.name): port \(port)", needs: ["configuration", "state", "daemon"],
          backend.holder.map {
            .bad(
              problem: "port \(port) is held by \($0)",
              remedy: port == 80
                ? "let that web server pass Cura's paths on: config/nginx/cura.conf, and take 'listen' of '\(backend.name)' out"
                : "end that program, or change listen of '\(backend.name)'")
          } ?? .good("free, or ours")))
    }
    if let responder = backend.responder {
      all.append(
        Checkup(
          "\(id).mdns", "\(backend.name): found in the network (mDNS)", needs: ["configuration"],
          Self.outcome(of: responder)))
    }
    all.append(
      Checkup(
        "\(id).account", "\(backend.name): service",
        needs: ["configuration", "daemon", id, "\(id).mdns"], Self.outcome(of: backend.account)))
    if let (url, answer) = backend.called {
      let place = URLParts(url)?.hostAndPort ?? url
      let remedy =
        "let nginx pass it on (config/nginx/cura.conf), or listen there itself (config/systemd/port-80.conf)"
      let outcome: Checkup.Outcome =
        switch answer {
        case .success(let answer) where answer.isPage:
          .bad(
            problem: "\(place) answers with a web page: it does not lead here", remedy: remedy)
        case .success(let answer) where (200...299).contains(answer.status):
          .good("\(place) leads here")
        case .success(let answer):
          .bad(problem: "\(place) answers \(answer.status): it does not lead here", remedy: remedy)
        case .failure(let error): .bad(problem: error.message, remedy: remedy)
        }
      all.append(
        Checkup(
          "\(id).called", "\(backend.name): where it is called",
          needs: ["daemon", id, "\(id).account"], outcome))
    }
    return all
  }

  private static func outcome(of responder: Responder) -> Checkup.Outcome {
    switch responder {
    case .runs: .good("Avahi runs")
    case .doesNotRun:
      .bad(
        problem: "Avahi does not run: nobody finds the printer by itself",
        remedy:
          "sudo apt install avahi-daemon && sudo systemctl start avahi-daemon; or 'advertise: off', and add it in Cura by its address"
      )
    case .busDoesNotRun:
      .bad(
        problem: "Avahi runs, but D-Bus does not, over which it is asked",
        remedy: "sudo systemctl start dbus avahi-daemon")
    }
  }

  private static func outcome(of account: Account) -> Checkup.Outcome {
    switch account {
    case .running("online", _, _, isFailing: false): return .good("online")
    case .running("disabled", _, _, _):
      return .good("switched off")
    case .running(let state, nil, _, isFailing: false):
      return .unknown("\(state); ask again in a minute")
    case .running(let state, let problem, let remedy, _):
      let words = problem.map { "\(state): \($0)" } ?? "\(state) for too long"
      return .bad(
        problem: words,
        remedy: remedy ?? "it is tried again by itself; see '\(Product.name) status'")
    case .probed(let report) where report.isHealthy: return .good(report.summary)
    case .probed(let report):
      // Connectors put what to do behind what is wrong.
      guard let border = report.summary.firstRange(ofText: "; ") else {
        return .bad(
          problem: report.summary, remedy: "look into the log, or '\(Product.name) run --once'")
      }
      return .bad(
        problem: String(report.summary[..<border.lowerBound]),
        remedy: String(report.summary[border.upperBound...]))
    case .unpaired(let name):
      return .bad(
        problem: "it is not paired", remedy: "start the daemon, then \(Product.name) pair \(name)")
    case .probeFailed(let problem):
      return .bad(problem: problem, remedy: "run '\(Product.name) run --once' to see more")
    case .notCheckable:
      return .unknown("no harmless call exists; use '\(Product.name) run --once'")
    case .notAsked(let why): return .unknown(why)
    }
  }
}
