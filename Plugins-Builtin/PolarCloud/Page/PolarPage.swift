internal import ConnectorKit
internal import JSON
internal import Platform

/// The page at `/polar-cloud/` and what it asks for: register, unregister, settings, and how things stand.
struct PolarPage: Sendable {
  /// Where it is.
  static let paths = ["/polar-cloud", "/polar-cloud/", "/printer/polar_cloud/"]

  let settings: Settings
  let store: PolarStore
  let desk: PolarDesk
  let context: BackendContext
  let makesFailedAt = Guarded<MonotonicInstant?>(nil)

  /// The answer to a request.
  func answer(_ request: PageRequest) async -> PageResponse {
    if request.method == "POST" { return await change(request) }
    switch request.path {
    case "/polar-cloud":
      return PageResponse(
        status: 301, type: "text/plain; charset=utf-8", body: [],
        fields: [("Location", "polar-cloud/")])
    case "/polar-cloud/": return PageFiles.document
    case "/polar-cloud/app.js": return PageFiles.script
    case "/polar-cloud/style.css": return PageFiles.style
    case "/polar-cloud/makes": return await makes(request)
    case "/printer/polar_cloud/status": return .json(200, status(request))
    case "/printer/polar_cloud/config", "/printer/polar_cloud/register",
      "/printer/polar_cloud/unregister":
      return .said(405, "This path takes POST.", fields: [("Allow", "POST")])
    default: return .said(404, "Nothing stands here.")
    }
  }

  // MARK: Looking

  private var configuration: PolarConfiguration? {
    try? PolarConfiguration(settings, entered: store.record.entered)
  }

  /// How things stand, with the keys of the original. Who may not change anything sees the account's name in part.
  func status(_ request: PageRequest) -> JSONObject {
    let record = store.record
    let standing = desk.standing
    let configuration = configuration
    let username = record.registeredAs ?? configuration?.username ?? ""
    var status: JSONObject = [
      "service_status": "active", "name": .string(context.name),
      "connected": .bool(standing.isConnected), "authenticated": .bool(standing.isAuthenticated),
      "registered": .bool(record.serialNumber != nil),
      "serial_number": .string(record.serialNumber ?? ""),
      "username": .string(request.mayChange ? username : Self.masked(username)),
      "machine_type": .string(configuration?.machineType ?? ""),
      "printer_type": .string(configuration?.printerType ?? ""),
      "manufacturer": .string(configuration?.manufacturer.rawValue ?? ""),
      "last_update": .string(standing.updatedAt?.rfc3339Seconds ?? ""),
      "webcam_enabled": .bool(configuration?.webcamEnabled ?? false),
      "version_info": ["running_version": .string(Product.version), "latest_version": ""],
      "last_error": .string(record.block?.problem ?? record.lastError ?? ""),
      "last_error_time": .string(record.lastErrorAt?.rfc3339Seconds ?? ""),
      "remedy": .string(record.block?.remedy ?? ""),
    ]
    status["max_image_size"] = configuration.map { .integer($0.maximumImageSize) }
    status["status_interval"] = configuration.map { .integer($0.statusInterval.components.seconds) }
    status["verbose"] = configuration.map { .bool($0.isVerbose) }
    status["has_pin"] = .bool(configuration?.pin != nil)
    status["job"] = .string(record.job?.id ?? "")
    status["may_change"] = .bool(request.mayChange)
    var fixed = JSONObject()
    for key in PageInput.keys.sorted() {
      // Where the file lies concerns only those who could change it.
      if let place = place(of: key) {
        fixed[key] = .string(request.mayChange ? place : "the configuration file")
      }
    }
    status["fixed"] = .object(fixed)
    if request.mayChange { status["server_url"] = configuration.map { .string($0.server.origin) } }
    return status
  }

  private func makes(_ request: PageRequest) async -> PageResponse {
    guard let configuration else { return .json(200, ["printerMakes": []]) }
    let makes = PrinterMakes(
      url: configuration.makesURL, context: context, failedAt: makesFailedAt)
    let names = await makes.names(
      request.parameter("machine_type") ?? configuration.machineType,
      of: request.parameter("manufacturer").map { Manufacturer($0) } ?? configuration.manufacturer)
    return .json(200, ["printerMakes": .array(names.map(JSONValue.string))])
  }

  /// `m…@example.com`
  private static func masked(_ name: String) -> String {
    guard let at = name.firstIndex(of: "@"), let first = name.first else {
      return name.isEmpty ? "" : "…"
    }
    return "\(first)…\(name[at...])"
  }

  /// Where a key stands that the page cannot change; nil: it can.
  private func place(of key: String) -> String? {
    settings.entries[key].map { "\($0.origin)" }
  }

  // MARK: Changing

  private func change(_ request: PageRequest) async -> PageResponse {
    switch request.path {
    case "/printer/polar_cloud/config": return await configure(request, registers: false)
    case "/printer/polar_cloud/register": return await configure(request, registers: true)
    case "/printer/polar_cloud/unregister": return await unregister(request)
    default: return .said(405, "This path takes GET and HEAD.", fields: [("Allow", "GET, HEAD")])
    }
  }

  private func configure(_ request: PageRequest, registers: Bool) async -> PageResponse {
    let record = store.record
    var entered: EnteredValues
    var names = ""
    do throws(PageInput.Defect) {
      let input = try PageInput(request)
      names = input.values.keys.sorted().joined(separator: ", ")
      // The page sends back what it shows: what does not differ changes nothing.
      for (key, value) in input.values.sorted(by: { $0.key < $1.key }) {
        guard let place = place(of: key), !isAsIs(key, value) else { continue }
        return .said(
          409, "\(key) stands in the configuration file (\(place)): change it there.")
      }
      entered = try input.merged(into: record.entered)
    } catch {
      return .said(400, error.key.isEmpty ? error.problem : "\(error.key) \(error.problem)")
    }
    guard registers else {
      // A PIN is for registering only: who is registered has no use for one.
      if record.serialNumber != nil { entered.pin = record.entered.pin }
      let entered = entered
      return await keep(request, "settings (\(names))") { $0.entered = entered }
    }
    if let serial = record.serialNumber {
      return .said(409, "This printer is registered already, as \(serial): unregister it first.")
    }
    guard let wanted = try? PolarConfiguration(settings, entered: entered),
      wanted.username?.isEmpty == false, wanted.pin?.revealed.isEmpty == false
    else { return .said(400, "username and pin are needed to register") }
    let kept = entered
    return await keep(request, "a registration") { record in
      record.entered = kept
      record.block = nil
      record.lastError = nil
    }
  }

  /// Whether a key that the file fixes is sent as the file has it.
  private func isAsIs(_ key: String, _ value: String) -> Bool {
    switch settings.entries[key]?.value {
    case .string(let text): text == value
    case .boolean(let isOn): (isOn ? "true" : "false") == value
    case .integer(let number): "\(number)" == value
    case .duration(let time): "\(time.components.seconds)" == value
    default: value.isEmpty
    }
  }

  private func keep(
    _ request: PageRequest, _ what: String, _ change: @Sendable (inout PolarRecord) -> Void
  ) async -> PageResponse {
    do { try await store.update(change) } catch {
      return .said(503, "The state directory does not take it: \(error)")
    }
    context.log(.info, "\(request.visitor) has entered \(what)")
    desk.reconfigure()
    context.pages.wake()
    return .said(200, "Stored; the state above shows how it goes on.")
  }

  private func unregister(_ request: PageRequest) async -> PageResponse {
    guard store.record.serialNumber != nil else {
      return .said(409, "This printer is not registered.")
    }
    context.log(.info, "\(request.visitor) unregisters this printer")
    guard desk.unregister() else {
      let credentials = configuration?.credentials ?? ""
      do { try await store.apply(.unregistered(credentials: credentials)) } catch {
        return .said(503, "The state directory does not take it: \(error)")
      }
      return .said(200, "Forgotten here. There is no connection, so the cloud is not told.")
    }
    return .said(200, "The cloud is told, and the registration forgotten within 10 s.")
  }
}

extension PageResponse {
  /// A JSON document.
  static func json(_ status: Int, _ value: JSONObject) -> PageResponse {
    PageResponse(
      status: status, type: "application/json",
      body: JSONValue.object(value).serialized() + [0x0A])
  }

  /// One line for a person.
  static func said(
    _ status: Int, _ message: String, fields: [(name: String, value: String)] = []
  ) -> PageResponse {
    var answer = json(status, ["success": .bool(status == 200), "message": .string(message)])
    answer.fields = fields
    return answer
  }
}
