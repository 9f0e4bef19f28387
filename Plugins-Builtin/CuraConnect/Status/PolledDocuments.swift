internal import ConnectorKit
internal import JSON
internal import Platform

/// The two answers that every Cura asks for every two seconds. Each is made once for each change of what it shows, not for
/// each request.
struct PolledDocuments: Sendable {
  /// The most addresses of ours that are remembered.
  private static let mostAddresses = 8
  private var printer: PrinterView?
  private var printers: [String: [UInt8]] = [:]
  private var jobViews: [JobView]?
  private var jobs: [UInt8] = []
  /// How many answers have been made.
  private(set) var builds = 0

  /// The list with the one printer.
  mutating func printers(_ view: PrinterView, address: String) -> [UInt8] {
    take(view)
    if let made = printers[address] { return made }
    if printers.count >= Self.mostAddresses { printers = [:] }
    let made = JSONValue.array([view.body(address: address)]).serialized()
    printers[address] = made
    builds += 1
    return made
  }

  /// The list of jobs.
  mutating func jobs(_ listed: [CuraJob], _ reading: PrinterReading, _ view: PrinterView) -> [UInt8]
  {
    let former = printer?.configuration
    take(view)
    let views = listed.compactMap { JobView($0, reading) }
    guard views != jobViews || former != view.configuration else { return jobs }
    jobViews = views
    jobs = JSONValue.array(views.map { $0.body(view) }).serialized()
    builds += 1
    return jobs
  }

  private mutating func take(_ view: PrinterView) {
    guard view != printer else { return }
    if printer?.configuration != view.configuration { jobViews = nil }
    printer = view
    printers = [:]
  }
}
