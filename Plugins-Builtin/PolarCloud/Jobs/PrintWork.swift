internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// What has to be done between the gate's yes and the start: the job's file is fetched and stored at the printer.
struct PrintWork: Sendable {
  /// Waits between attempts.
  private static let pauses: [Duration] = [.seconds(2), .seconds(8)]

  let order: PrintOrder
  let job: CloudJob
  let maximumSize: Int64
  /// The cloud's server, which may be in the house.
  let server: PolarServer
  let store: PolarStore
  let abort: AbortSwitch
  let context: BackendContext

  /// - Throws: `CommandFailure`; nothing has been started then.
  func run(_ printer: any GatedPrinter) async throws(CommandFailure) -> JSONValue? {
    try printer.checkPermission()
    let fetched = await abort.guarding { await fetch() }
    guard let fetched else { throw Self.cancelled }
    let file: StagedFile
    switch fetched {
    case .success(let staged): file = staged
    case .failure(let failure):
      throw CommandFailure(.transfer, "its file cannot be fetched: \(failure.description)")
    }
    guard !abort.hasBeenPulled else { throw Self.cancelled }
    let item = try await printer.upload(file)
    guard !abort.hasBeenPulled else { throw Self.cancelled }
    // Before the start is sent: after a crash the printer is looked at, else the job counts as not begun.
    var begun = job
    begun.phase = .started
    do { try await store.apply(.job(begun)) } catch {
      context.log(.warning, "job \(job.id): what is on cannot be noted: \(error)")
      throw CommandFailure(.journal, "the state directory does not take what must be kept")
    }
    guard !abort.hasBeenPulled else { throw Self.cancelled }
    return item
  }

  private func fetch() async -> Result<StagedFile, TransferFailure> {
    var attempt = 0
    while true {
      do throws(TransferFailure) {
        return .success(try await context.transfers.download(download))
      } catch {
        guard attempt < Self.pauses.count, Self.isPassing(error), !Task.isCancelled else {
          return .failure(error)
        }
        context.log(.info, "job \(job.id): \(error.description); once more")
        guard (try? await context.time.sleep(for: Self.pauses[attempt])) != nil else {
          return .failure(error)
        }
        attempt += 1
      }
    }
  }

  /// A plain GET; from a server in the house no redirect leads anywhere else.
  private var download: DownloadOrder {
    var request = HTTPRequest("GET", order.url, connectTimeout: .seconds(10))
    request.stallTimeout = .seconds(30)
    let isOurs = server.cloud.isItself(order.url, moonraker: context.moonrakerAddress)
    request.addresses = server.cloud.addresses(
      for: order.url, moonraker: context.moonrakerAddress)
    return DownloadOrder(
      request, maximumSize: maximumSize, redirects: 3, origins: isOurs ? [server.origin] : nil)
  }

  private static func isPassing(_ failure: TransferFailure) -> Bool {
    switch failure.kind {
    case .network: true
    case .status: failure.status.map { (500...599).contains($0) } ?? false
    default: false
    }
  }

  static let cancelled = CommandFailure(.superseded, "it was cancelled in the cloud")
}
