import ConnectorKit
import HTTPServer
import Networking
import Platform
import Testing

@testable import ConnectorHost

@Suite("Doctor: what observations mean") struct ObservationsTests {
  private static let now = WallTime(millisecondsSinceEpoch: 1_795_252_134_000)

  /// A host on which all is well: a daemon that runs, a printer that is ready, one cloud.
  static func well() -> Observations {
    var seen = Observations(file: .init(path: "c.yaml", findings: []), wallTime: now)
    seen.state = .usable(path: "/s", free: 1 << 30, isReadOnly: false)
    seen.daemon = .running(version: Product.version, journalProblem: nil, reloadProblem: nil)
    seen.moonrakerAddress = "http://127.0.0.1:7125"
    seen.moonraker = .answered(
      version: "v0.9", failedComponents: [], klippy: .init(state: "ready", message: ""))
    seen.camera = Observations.Camera.none
    seen.clouds = [cloud()]
    return seen
  }

  static func cloud(_ name: String = "reach", host: String = "cloud.example") -> Observations.Cloud
  {
    var cloud = Observations.Cloud(
      name: name, setting: "relay (line 7)", lookup: .found,
      account: .running(state: "online", problem: nil, remedy: nil, isFailing: false))
    cloud.address = URLParts("https://\(host)")
    cloud.answer = .success(.init(status: 404, clock: (now, now)))
    return cloud
  }

  /// The ids of the causes, after `change`.
  private func causes(_ change: (inout Observations) -> Void) -> [String] {
    var seen = Self.well()
    change(&seen)
    return Diagnosis(seen.checkups).causes.map(\.id)
  }

  private func failure(
    _ kind: NetworkError.Kind, _ message: String = "broken"
  ) -> Result<Observations.Answer, NetworkError> { .failure(NetworkError(kind, message)) }

  @Test("Where all is well nothing is wrong, and every need is of a check that stands before")
  func wellHost() {
    #expect(causes { _ in } == [])
    var known: Set<String> = []
    var seen = Self.well()
    seen.agents = [
      .init(backend: "reach", agent: ServiceAgent(program: "p", stopAdvice: "s"), processes: [])
    ]
    seen.proxies = [("http://p:1", nil)]
    seen.clouds[0].proxy = "http://p:1"
    var cura = Observations.Inbound(
      name: "cura", account: .running(state: "online", problem: nil, remedy: nil, isFailing: false))
    cura.port = 80
    cura.responder = .runs
    cura.called = ("http://127.0.0.1:80/x", .success(.init(status: 200)))
    seen.inbound = [cura]
    seen.control = ("127.0.0.1:7180", nil)
    for checkup in seen.checkups {
      for need in checkup.needs { #expect(known.contains(need), "\(checkup.id) needs \(need)") }
      #expect(known.insert(checkup.id).inserted)
    }
  }

  @Test("A broken file is the only cause, and nothing else is looked at")
  func file() {
    var seen = Self.well()
    seen.file.findings = [
      LocatedFinding(
        file: "c.yaml", line: 3, column: 1,
        finding: Finding(.error, key: "printr", "is unknown", remedy: "write printer"))
    ]
    seen.isUsable = false
    #expect(seen.checkups.map(\.id) == ["configuration"])
    #expect(
      seen.checkups.first?.outcome
        == .bad(problem: "c.yaml:3: printr: is unknown", remedy: "write printer"))
  }

  @Test("A full disk explains a journal that cannot be written, and an account that fails for it")
  func fullDisk() {
    #expect(
      causes {
        $0.state = .usable(path: "/s", free: 1000, isReadOnly: false)
        $0.daemon = .running(version: nil, journalProblem: "disk full", reloadProblem: nil)
        $0.clouds[0].account = .running(
          state: "backing off", problem: "disk full", remedy: nil, isFailing: true)
      } == ["disk"])
    #expect(causes { $0.state = .unusable("not writable") } == ["state"])
  }

  @Test("No way out explains names that are not resolved, and clouds that are not reached")
  func noRoute() {
    #expect(
      causes {
        $0.hasRoute = false
        $0.clouds[0].lookup = .noAnswer("again")
        $0.clouds[0].answer = nil
        $0.clouds[0].account = .running(
          state: "degraded", problem: "x", remedy: "y", isFailing: true)
      } == ["network"])
    #expect(causes { $0.hasRoute = false } == [], "the cloud answers all the same")
  }

  @Test("Name servers that do not answer are one cause; a name that nobody has is the setting's")
  func names() {
    #expect(
      causes {
        $0.clouds.append(Self.cloud("polar", host: "other.example"))
        for index in $0.clouds.indices {
          $0.clouds[index].lookup = .noAnswer("again")
          $0.clouds[index].answer = nil
        }
      } == ["dns"])
    var seen = Self.well()
    seen.clouds[0].lookup = .unknownName
    seen.clouds[0].answer = nil
    let cause = Diagnosis(seen.checkups).causes.first
    #expect(cause?.id == "cloud.reach")
    #expect(
      cause?.outcome
        == .bad(problem: "there is no host cloud.example", remedy: "correct relay (line 7)"))
  }

  @Test(
    "A clock that is wrong comes before the certificate that it spoils",
    arguments: [
      (-86_400 * 900, "behind"), (3_600 * 5, "ahead"), (-121, "behind"),
    ])
  func clock(_ seconds: Int, _ word: String) {
    var seen = Self.well()
    let ours = Self.now
    let theirs = ours.advanced(by: .seconds(-seconds))
    seen.clouds[0].answer = failure(.tls, "certificate has expired")
    seen.clouds[0].plainAnswer = .init(status: 200, clock: (theirs, ours))
    let causes = Diagnosis(seen.checkups).causes
    #expect(causes.map(\.id) == ["clock"])
    guard case .bad(let problem, _)? = causes.first?.outcome else { return }
    #expect(problem.hasSuffix(word))
  }

  @Test("One cloud whose clock is off is not this host's, unless nobody keeps that")
  func foreignClock() {
    let late = Self.now.advanced(by: .seconds(-7_200))
    func lateCloud(_ name: String) -> Observations.Cloud {
      var cloud = Self.cloud(name, host: "\(name).example")
      cloud.address = URLParts("http://\(name).example")
      cloud.answer = .success(.init(status: 404, clock: (late, Self.now)))
      return cloud
    }
    #expect(causes { $0.clouds.append(lateCloud("hub")) } == [], "the other one is right")
    #expect(causes { $0.clouds = [lateCloud("hub")] } == [], "who knows")
    #expect(causes { $0.clouds = [lateCloud("hub"), lateCloud("two")] } == ["clock"])
    #expect(
      causes {
        $0.clouds = [lateCloud("hub")]
        $0.isClockSynchronized = false
      } == ["clock"])
  }

  @Test("What cannot be looked into explains what is not seen, and blames nobody's ports")
  func withoutAView() {
    #expect(
      causes {
        $0.state = .unusable("/s is not writable for this user")
        $0.daemon = .unknown
        $0.control = ("127.0.0.1:7180", "held by printer-uplink")
      } == ["state"])
    #expect(
      causes {
        $0.daemon = .unreachable("does not answer", remedy: "restart it")
        $0.control = ("127.0.0.1:7180", "held by printer-uplink")
        var cura = Observations.Inbound(name: "cura", account: .notAsked("?"))
        cura.port = 80
        cura.holder = PortHolder(program: "printer-uplink", process: 1)
        $0.inbound = [cura]
      } == ["daemon"])
    #expect(causes { $0.hasNoInodes = true } == ["disk"])
  }

  @Test("A certificate that has run out is the cloud's, unless the clock is under suspicion")
  func expired() {
    let expired = failure(.tls, "SSL certificate problem: certificate has expired")
    #expect(causes { $0.clouds[0].answer = expired } == ["cloud.reach"])
    #expect(
      causes {
        $0.clouds[0].answer = expired
        $0.isClockSynchronized = false
      } == ["clock"])
    #expect(
      causes {
        $0.clouds.append(Self.cloud("polar", host: "other.example"))
        for index in $0.clouds.indices { $0.clouds[index].answer = expired }
      } == ["clock"])
    #expect(
      causes {
        $0.clouds[0].answer = expired
        $0.clouds[0].plainAnswer = .init(status: 200, clock: (Self.now, Self.now))
        $0.isClockSynchronized = false
      } == ["cloud.reach"], "the clock is right, whoever keeps it")
  }

  @Test("A certificate from the future tells of the clock even where nobody says the time")
  func notYetValid() {
    #expect(causes { $0.clouds[0].answer = failure(.certificateNotYetValid) } == ["clock"])
  }

  @Test(
    "A cloud that is not reached is named with its leg, and its account is skipped",
    arguments: [
      (NetworkError.Kind.tls, "unknown CA", "ca_file"), (.connect, "refused", "tried again"),
      (.timeout, "late", "tried again"), (.tls, "certificate has expired", "run out"),
    ])
  func leg(_ kind: NetworkError.Kind, _ message: String, _ remedy: String) {
    var seen = Self.well()
    seen.clouds[0].answer = failure(kind, message)
    seen.clouds[0].account = .running(
      state: "backing off", problem: message, remedy: nil, isFailing: true)
    let causes = Diagnosis(seen.checkups).causes
    #expect(causes.map(\.id) == ["cloud.reach"])
    guard case .bad(message, let said)? = causes.first?.outcome else {
      Issue.record("another problem")
      return
    }
    #expect(said.contains(remedy))
  }

  @Test("A login page of the network is told from a certificate that nobody knows")
  func portal() {
    var seen = Self.well()
    seen.clouds[0].answer = failure(.tls, "self-signed certificate")
    seen.clouds[0].plainAnswer = .init(status: 302, location: "http://login.hotel.example/?u=1")
    guard case .bad(let problem, _)? = Diagnosis(seen.checkups).causes.first?.outcome else {
      Issue.record("nothing is wrong")
      return
    }
    #expect(problem.contains("login page") && problem.contains("login.hotel.example"))
    seen.clouds[0].answer = .success(
      .init(status: 302, location: "https://www.school.example/"))
    seen.clouds[0].plainAnswer = nil
    #expect(Diagnosis(seen.checkups).isHealthy, "who has proved to be the cloud may redirect")
    seen.clouds[0].answer = failure(.tls, "self-signed certificate")
    seen.clouds[0].plainAnswer = .init(status: 301, location: "https://www.cloud.example/")
    guard case .bad(let other, _)? = Diagnosis(seen.checkups).causes.first?.outcome else { return }
    #expect(other == "self-signed certificate", "its own host may redirect")
  }

  @Test(
    "A proxy that is away, refuses, opens or breaks what goes through it explains every cloud behind it",
    arguments: [
      (NetworkError(.connect, "cannot connect"), nil, "cannot connect"),
      (nil, NetworkError(.connect, "the proxy answered 407"), "user and a password"),
      (nil, NetworkError(.connect, "the proxy answered 403"), "lets nothing through"),
      (nil, NetworkError(.tls, "unable to get local issuer certificate"), "opens"),
      (nil, NetworkError(.connect, "reset"), "breaks"),
    ] as [(NetworkError?, NetworkError?, String)])
  func proxy(_ away: NetworkError?, _ behind: NetworkError?, _ words: String) {
    var seen = Self.well()
    seen.proxies = [("http://user:hush@proxy:3128", away)]
    seen.clouds[0].proxy = seen.proxies[0].url
    seen.clouds[0].lookup = .notNeeded
    seen.clouds[0].answer = .failure(behind ?? NetworkError(.connect, "broken"))
    let diagnosis = Diagnosis(seen.checkups)
    #expect(diagnosis.causes.map(\.id) == ["proxy"])
    #expect(diagnosis.text().contains(words))
    #expect(!diagnosis.text().contains("hush"))
    // Where another cloud is reached through it, it is not the proxy.
    guard away == nil, words != "user and a password" else { return }
    var other = Self.cloud("polar", host: "other.example")
    other.proxy = seen.clouds[0].proxy
    seen.clouds.append(other)
    #expect(Diagnosis(seen.checkups).causes.map(\.id) == ["cloud.reach"])
  }

  @Test("A proxy that asks who we are is told even where the cloud is spoken to without TLS")
  func proxyLogin() {
    #expect(
      causes {
        $0.proxies = [("http://proxy:3128", nil), ("http://other:3128", nil)]
        $0.clouds[0].proxy = "http://other:3128"
        $0.clouds[0].answer = .success(.init(status: 407))
      } == ["proxy.2"])
  }

  @Test(
    "Moonraker comes before Klipper and the webcam",
    arguments: [
      (Observations.Moonraker.failed(.connect, "refused"), "systemctl start moonraker"),
      (.unauthorized(hasKey: false), "api_key_file"), (.unauthorized(hasKey: true), "Mainsail"),
      (.foreign("status 404"), "7125"),
    ])
  func moonraker(_ reading: Observations.Moonraker, _ remedy: String) {
    var seen = Self.well()
    seen.moonraker = reading
    seen.camera = nil
    let diagnosis = Diagnosis(seen.checkups)
    #expect(diagnosis.causes.map(\.id) == ["moonraker"])
    #expect(
      diagnosis.entries.filter { $0.cause == "moonraker" }.map(\.checkup.id) == [
        "klippy", "webcam",
      ])
    guard case .bad(_, let said)? = diagnosis.causes.first?.outcome else { return }
    #expect(said.contains(remedy))
  }

  @Test("Klipper's own words are shown")
  func klippy() {
    var seen = Self.well()
    seen.moonraker = .answered(
      version: "v", failedComponents: [],
      klippy: .init(state: "shutdown", message: "MCU 'mcu' shutdown: Timer too close"))
    let cause = Diagnosis(seen.checkups).causes.first
    #expect(cause?.id == "klippy")
    guard case .bad(let problem, _)? = cause?.outcome else { return }
    #expect(problem.contains("Timer too close"))
  }

  @Test("A second agent explains the account that it spoils")
  func agent() {
    #expect(
      causes {
        $0.agents = [
          .init(
            backend: "reach", agent: ServiceAgent(program: "agent.py", stopAdvice: "stop it"),
            processes: [17])
        ]
      } == ["agent.reach"])
  }

  @Test("An account says what the daemon saw, or what a probe said")
  func accounts() {
    func outcome(_ account: Observations.Account) -> Checkup.Outcome? {
      var seen = Self.well()
      seen.clouds[0].account = account
      return seen.checkups.first { $0.id == "cloud.reach.account" }?.outcome
    }
    #expect(
      outcome(.running(state: "parked", problem: "revoked", remedy: "pair again", isFailing: true))
        == .bad(problem: "parked: revoked", remedy: "pair again"))
    #expect(
      outcome(.probed(ProbeReport(summary: "not paired; take a code", isHealthy: false)))
        == .bad(problem: "not paired", remedy: "take a code"))
    #expect(outcome(.probed(ProbeReport(summary: "fine", isHealthy: true))) == .good("fine"))
    guard case .unknown(let hint)? = outcome(.notCheckable) else {
      Issue.record("not checkable is neither well nor ill")
      return
    }
    #expect(hint.contains("run --once"))
    guard
      case .unknown? = outcome(
        .running(state: "starting", problem: nil, remedy: nil, isFailing: false))
    else {
      Issue.record("starting is neither well nor ill")
      return
    }
  }

  @Test("A port that another program holds explains a service that does not serve")
  func port() {
    #expect(
      causes {
        var cura = Observations.Inbound(
          name: "cura",
          account: .running(state: "backing off", problem: "taken", remedy: nil, isFailing: true))
        cura.port = 80
        cura.holder = PortHolder(program: "nginx", process: 1)
        cura.called = ("http://127.0.0.1:80/x", failure(.connect))
        $0.inbound = [cura]
      } == ["inbound.cura"])
    #expect(
      causes {
        var cura = Observations.Inbound(name: "cura", account: .notAsked("no daemon"))
        cura.responder = .doesNotRun
        $0.inbound = [cura]
      } == ["inbound.cura.mdns"])
    #expect(
      causes {
        var cura = Observations.Inbound(
          name: "cura",
          account: .running(state: "online", problem: nil, remedy: nil, isFailing: false))
        // Mainsail answers every path with its page.
        cura.called = ("http://127.0.0.1:80/x", .success(.init(status: 200, isPage: true)))
        $0.inbound = [cura]
      } == ["inbound.cura.called"])
    #expect(causes { $0.control = ("127.0.0.1:7180", "held by python3") } == ["page"])
  }
}
