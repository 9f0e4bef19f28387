internal import ConnectorKit
internal import HTTPServer
internal import JSON
internal import Networking
internal import Platform

/// Answers Cura: what it polls from memory, on the server's thread; what takes time beside it.
struct CuraServer: Sendable {
  private static let mostJSON = 64 << 10
  /// The most bodies of one visitor that are read at a time; the rest of the connections is for the others.
  private static let mostBodies = 24

  let hub: CuraHub
  let uploads: UploadDesk
  let materials: MaterialDesk
  let previews: PreviewShelf
  let access: PeerAccess
  /// How often each visitor has asked for permission.
  private let admissions = Guarded(OccurrenceThrottle<String>())
  /// How many bodies of each visitor are being read: a proxy's connections are everybody's.
  private let bodies = Guarded<[String: Int]>([:])

  /// A server of `hub`.
  init(_ hub: CuraHub) {
    self.hub = hub
    uploads = UploadDesk(hub: hub, slots: UploadSlots(2, waiting: 24))
    materials = MaterialDesk(hub: hub, slots: UploadSlots(2, waiting: 30))
    previews = PreviewShelf(desk: JobDesk(hub: hub))
    access = PeerAccess(allowed: hub.configuration.allowed)
  }

  private var mostDrained: Int { Int(clamping: hub.configuration.maximumUpload * 2) }

  /// What the server keeps.
  var options: HTTPServer.Options {
    var options = HTTPServer.Options(
      headerBytes: 16 << 10, headerFields: 100, connections: 32, connectionsPerAddress: 16,
      timeout: .seconds(75))
    options.streamsBodies = true
    // What is too large is read to its end all the same: Cura looks at no answer before it has sent all.
    options.drainBytes = mostDrained
    // Nothing else that is honest is large.
    options.unreadDrainBytes = 1 << 20
    options.headerTimeout = .seconds(10)
    options.stallTimeout = .seconds(60)
    options.loopbackConnections = 32
    options.foreignHostStatus = 403
    options.refusesInJSON = true
    return options
  }

  /// Answers a request whose header is there.
  func reply(to request: HTTPServer.Request) -> HTTPServer.Reply {
    guard access.allows(request) else {
      return refuse(403, "This address is in none of the networks that `allow` names.")
    }
    guard let route = CuraRoute(request.path) else { return refuse(404, "There is nothing here.") }
    guard route.methods.contains(request.method) else {
      let methods = route.methods.joined(separator: ", ")
      return .now(
        JSONAnswer.message(
          405, "Only these are answered here: \(methods).", fields: [("Allow", methods)]))
    }
    let changes = request.method != "GET" && request.method != "HEAD"
    guard !changes || !Self.isFromPage(request) else {
      return refuse(403, "Pages in a browser may not do this.")
    }
    if let refusal = checkProof(request, route) {
      // Cura looks at no answer to an upload before it has sent all.
      let isUpload = route == .jobs && request.method == "POST"
      return isUpload ? bounded(.reading { _ in refusal }, request) : .now(refusal)
    }
    return changes ? bounded(change(route, request), request) : look(route, request)
  }

  /// Counts a body that is to be read.
  private func bounded(
    _ reply: HTTPServer.Reply, _ request: HTTPServer.Request
  ) -> HTTPServer.Reply {
    guard case .reading(let work) = reply else { return reply }
    let visitor = PeerAccess.visitor(request)
    let mayRead = bodies.withLock { bodies in
      guard bodies[visitor, default: 0] < Self.mostBodies else { return false }
      bodies[visitor, default: 0] += 1
      return true
    }
    guard mayRead else { return refuse(503, "Too much at once.") }
    return .reading { [bodies] body in
      defer {
        bodies.withLock { bodies in
          let left = bodies[visitor, default: 1] - 1
          bodies[visitor] = left > 0 ? left : nil
        }
      }
      return await work(body)
    }
  }

  private func refuse(_ status: Int, _ text: String) -> HTTPServer.Reply {
    .now(JSONAnswer.message(status, text))
  }

  /// A browser says where a request comes from; Cura never does.
  private static func isFromPage(_ request: HTTPServer.Request) -> Bool {
    request.field("Origin") != nil || request.field("Sec-Fetch-Site") != nil
  }

  // MARK: Looking

  private func look(_ route: CuraRoute, _ request: HTTPServer.Request) -> HTTPServer.Reply {
    switch route {
    case .printers: return .now(JSONAnswer.body(hub.printersBody(address: address(request))))
    case .jobs: return .now(JSONAnswer.body(hub.jobsBody))
    case .materials: return .now(JSONAnswer.body(hub.materials.body))
    case .system:
      return .now(JSONAnswer.value(hub.printer.system(hostName: HostInformation.hostName)))
    case .page: return .now(JobsPage.response(hub))
    case .preview(let uuid): return preview(uuid)
    case .authCheck(let id):
      let isKnown = hub.authorize { $0.isApproved(id) } ?? false
      return .now(
        JSONAnswer.message(
          200, isKnown || !hub.configuration.mustPair ? "authorized" : "unauthorized"))
    case .authVerify: return .now(JSONAnswer.message(200, "ok"))
    case .root: return root(request)
    case .authRequest, .authApprove, .job, .action, .move: return refuse(405, "Not like this.")
    }
  }

  private func root(_ request: HTTPServer.Request) -> HTTPServer.Reply {
    let action = request.query.first { $0.name == "action" }?.value
    guard action == "stream" || action == "snapshot" else {
      return .now(redirect(to: "/print_jobs"))
    }
    return .now(
      redirect(to: "http://\(Self.urlHost(address(request))):8080/?action=\(action ?? "")"))
  }

  private func redirect(to place: String) -> HTTPServer.Response {
    JSONAnswer.message(302, "Look there.", fields: [("Location", place)])
  }

  private func preview(_ uuid: String) -> HTTPServer.Reply {
    guard let job = hub.job(uuid) else { return refuse(404, "There is no such job.") }
    // Cura keeps the first picture that it gets, and asks again where there is none.
    if case .coming = job.phase, job.path == nil { return refuse(503, "It is still on its way.") }
    if let picture = previews.kept(uuid) { return .now(Self.picture(picture)) }
    return .later {
      guard let picture = await previews.picture(of: job) else {
        return JSONAnswer.message(503, "It is not known yet.")
      }
      return Self.picture(picture)
    }
  }

  private static func picture(_ bytes: [UInt8]) -> HTTPServer.Response {
    HTTPServer.Response(
      status: 200, type: PreviewShelf.type(of: bytes) ?? "image/png", body: bytes)
  }

  /// Where Cura looks for the camera: the owner's word, else the address that it called us by.
  private func address(_ request: HTTPServer.Request) -> String {
    if let host = hub.configuration.cameraHost { return host }
    guard request.isFromLoopback, let host = request.field("Host") else {
      return request.localAddress
    }
    var name = host[...]
    if let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")), !name.hasSuffix("]") {
      name = name[..<colon]
    }
    // Only an address: Cura puts it into a URL as it is.
    return IPAddress(literal: String(name)) != nil ? String(name) : request.localAddress
  }

  private static func urlHost(_ address: String) -> String {
    address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]" : address
  }

  // MARK: Changing

  private func change(_ route: CuraRoute, _ request: HTTPServer.Request) -> HTTPServer.Reply {
    let desk = JobDesk(hub: hub, arrivedAt: hub.context.time.now)
    switch route {
    case .jobs where request.contentLength ?? 0 > mostDrained: return .now(uploads.refuseHuge())
    case .jobs: return .reading { await uploads.take(request, $0) }
    case .materials: return .reading { await materials.take(request, $0) }
    case .action(let uuid):
      return reading { body in
        guard let action = body["action"]?.string else { return nil }
        return await desk.act(action, on: uuid)
      }
    case .move(let uuid):
      return reading { body in
        guard let position = body["to_position"]?.integer.flatMap({ Int(exactly: $0) }),
          position >= 0, (body["list"]?.string ?? "queued") == "queued"
        else { return nil }
        return await desk.move(uuid, to: position)
      }
    case .job(let uuid) where request.method == "PUT":
      return reading { body in
        guard body["force"]?.bool == true else { return nil }
        return await desk.force(uuid)
      }
    case .job(let uuid): return .later { Self.response(await desk.delete(uuid)) }
    case .authRequest: return admit(request)
    case .authApprove(let id): return approve(id, request)
    case .root, .system, .authCheck, .authVerify, .printers, .preview, .page:
      return refuse(405, "Not like this.")
    }
  }

  /// Reads a JSON object, and answers with what `work` makes of it; nil: it is none that is understood.
  private func reading(
    _ work: @escaping @Sendable (JSONValue) async -> JobDesk.Answer?
  ) -> HTTPServer.Reply {
    .reading { body in
      do {
        let bytes = try await body.collect(upTo: Self.mostJSON)
        let value = try JSONValue(parsing: bytes)
        guard value.object != nil, let answer = await work(value) else {
          return JSONAnswer.message(400, "The body does not say what to do.")
        }
        return Self.response(answer)
      } catch is RequestBody.TooLong {
        return JSONAnswer.message(413, "The body is too long.")
      } catch {
        return JSONAnswer.message(400, "The body is no JSON.")
      }
    }
  }

  private static func response(_ answer: JobDesk.Answer) -> HTTPServer.Response {
    JSONAnswer.message(answer.status, answer.message)
  }

  // MARK: Who calls

  private func admit(_ request: HTTPServer.Request) -> HTTPServer.Reply {
    let peer = PeerAccess.visitor(request)
    return .reading { body in
      guard let bytes = try? await body.collect(upTo: Self.mostJSON),
        let value = try? JSONValue(parsing: bytes), value.object != nil
      else { return JSONAnswer.message(400, "The body is no JSON object.") }
      func text(_ key: String) -> String {
        UploadReceiver.clean(Array((value[key]?.string ?? "").utf8.prefix(256)))
      }
      let (application, user) = (text("application"), text("user"))
      let client = hub.authorize { $0.admit(application: application, user: user, peer: peer) }
      if hub.configuration.mustPair, admissions.withLock({ $0.note(peer) }) != nil {
        hub.context.log(
          .warning,
          "a Cura at \(peer) asks for permission; who wants that says on this host: curl -X POST http://\(hub.configuration.listen)/api/v1/auth/approve/\(client.id)"
        )
      }
      return JSONAnswer.value(["id": .string(client.id), "key": .string(client.key)])
    }
  }

  /// A person approves a Cura: only on this host, and not through a proxy.
  private func approve(_ id: String, _ request: HTTPServer.Request) -> HTTPServer.Reply {
    guard request.isLocal else { return refuse(403, "Only on the printer's own host.") }
    guard hub.authorize({ $0.approve(id) }) else { return refuse(404, "There is no such id.") }
    return .now(JSONAnswer.message(200, "approved"))
  }

  /// The answer to a Cura that nobody has approved; nil where it may go on.
  private func checkProof(
    _ request: HTTPServer.Request, _ route: CuraRoute
  ) -> HTTPServer.Response? {
    guard hub.configuration.mustPair else { return nil }
    switch route {
    case .root, .system, .authRequest, .authCheck, .authApprove: return nil
    default: break
    }
    let peer = PeerAccess.visitor(request)
    let now = hub.context.time.now
    let nonce = hub.authorize { authority -> String? in
      if let proof = request.field("Authorization") {
        if authority.isProven(
          proof, method: request.method, path: request.path, peer: peer, at: now)
        {
          return nil
        }
      }
      // Uploads come unsigned, or with a nonce from before our start; Cura would not send them again.
      if route == .jobs || route == .materials, request.method == "POST",
        authority.knows(peer: peer)
      {
        return nil
      }
      return authority.challenge(at: now)
    }
    guard let nonce else { return nil }
    let challenge =
      "Digest realm=\"\(DigestAuthority.realm)\", nonce=\"\(nonce)\", qop=\"auth\", algorithm=SHA-256"
    return JSONAnswer.message(
      401, "A person has to approve this Cura first.", fields: [("WWW-Authenticate", challenge)])
  }
}
