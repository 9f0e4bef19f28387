import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import PolarCloud

@Suite("Polar: what the printer is called") struct StatusCodeTests {
  private let time = ManualTime()

  private func reading(
    _ state: String, _ duration: Double = 5, file: String = "cube.gcode",
    klippy: KlippyState = .ready, isUp: Bool = true, notice: String? = nil
  ) -> PolarReading {
    var status = PrinterStatus(startedAt: time.now, wallTime: time.wallTime)
    status.link = isUp ? .connected : .away(since: time.now)
    status.klippy = klippy
    status.klippyMessage = "MCU shutdown\nline two"
    status.isCurrent = isUp
    status.objects = [
      "print_stats": [
        "state": .string(state), "filename": .string(file), "print_duration": .double(duration),
        "filament_used": -41.5,
      ],
      "virtual_sdcard": ["file_position": 50, "file_size": 200],
      "extruder": ["temperature": 209.96, "target": 210],
      "heater_bed": ["temperature": 60, "target": 60],
    ]
    status.messages = [
      PrinterMessage(number: 1, at: time.now, wallTime: time.wallTime, text: "old"),
      PrinterMessage(number: 2, at: time.now, wallTime: time.wallTime, text: notice ?? ""),
    ]
    return PolarReading(status, at: notice == nil ? nil : time.now)
  }

  @Test(
    "What a macro says stands behind the state for five minutes, but never behind an error's words")
  func notice() {
    func detail(_ reading: PolarReading) -> String {
      StatusReport(
        reading, code: StatusCode(reading, none), job: nil, serialNumber: "K", startedAt: nil
      ).progressDetail
    }
    #expect(detail(reading("printing", notice: "change it")) == "Printing: 25.0% - change it")
    #expect(detail(reading("standby", notice: "x\ny")) == "Idle - x")
    #expect(detail(reading("standby", klippy: .shutdown, notice: "x")) == "MCU shutdown")
    #expect(detail(reading("standby", isUp: false, notice: "x")) == "Offline")
    #expect(detail(reading("standby")) == "Idle")
    var status = PrinterStatus(startedAt: time.now, wallTime: time.wallTime)
    status.messages = [
      PrinterMessage(number: 1, at: time.now, wallTime: time.wallTime, text: "x")
    ]
    let later = time.now.advanced(by: PolarReading.noticeAge)
    #expect(PolarReading(status, at: later).notice == "x")
    #expect(PolarReading(status, at: later.advanced(by: .milliseconds(1))).notice == "")
  }

  private func tracker(_ phase: CloudJob.Phase) -> JobTracker {
    JobTracker(CloudJob(id: "aa", path: "x_cloud_aa.gcode", phase: phase), now: time.now)
  }
  private var none: JobTracker { JobTracker(nil, now: time.now) }

  @Test("Without a job of the cloud")
  func local() {
    #expect(StatusCode(reading("standby"), none) == .idle)
    #expect(StatusCode(reading("complete"), none) == .idle)
    #expect(StatusCode(reading("cancelled"), none) == .idle)
    #expect(StatusCode(reading("printing", 0.5), none) == .preparing)
    #expect(StatusCode(reading("printing"), none) == .printingLocally)
    #expect(StatusCode(reading("paused"), none) == .paused)
    #expect(StatusCode(reading("error"), none) == .error)
  }

  @Test("With one")
  func cloud() {
    #expect(StatusCode(reading("standby"), tracker(.preparing)) == .preparing)
    #expect(
      StatusCode(reading("printing", file: "x_cloud_aa.gcode"), tracker(.running)) == .printing)
    #expect(StatusCode(reading("printing"), tracker(.running)) == .printingLocally)
    var cancelling = tracker(.running)
    cancelling.isCancelling = true
    #expect(StatusCode(reading("printing", file: "x_cloud_aa.gcode"), cancelling) == .canceling)
  }

  @Test("Klipper stopped is an error in its own words; away is offline, never idle")
  func stopped() {
    #expect(StatusCode(reading("printing", klippy: .shutdown), none) == .error)
    #expect(StatusCode(reading("printing", klippy: .startup), none) == .offline)
    #expect(StatusCode(reading("standby", isUp: false), tracker(.running)) == .offline)
    let report = StatusReport(
      reading("printing", klippy: .shutdown), code: .error, job: nil, serialNumber: "KL1",
      startedAt: nil)
    #expect(report.progressDetail == "MCU shutdown")
  }

  @Test(
    "Filament is never negative, temperatures have one decimal, and no second nozzle is made up")
  func numbers() {
    let job = CloudJob(id: "aa", path: "cube.gcode", phase: .running)
    let report = StatusReport(
      reading("printing"), code: .printing, job: job, serialNumber: "KL1", startedAt: nil)
    #expect(report.json["filamentUsed"] == nil)
    #expect(report.json["tool0"] == 210 && report.json["tool1"] == nil)
    #expect(report.json["progressDetail"] == "Printing: 25.0%")
    #expect(report.json["estimatedTime"] == "20" && report.json["printSeconds"] == 5)
    #expect(report.json["bytesRead"] == 50 && report.json["jobId"] == "aa")
  }

  @Test("A job that Klipper ends is over once; one that goes out of sight is, a moment later")
  func ends() {
    var job = tracker(.running)
    let now = time.now
    let complete = reading("complete", 90, file: "x_cloud_aa.gcode")
    #expect(job.ended(.finished, filename: "x_cloud_aa.gcode", complete, now)?.state == .completed)
    #expect(job.observe(complete, now) == nil)
    #expect(job.shadow == .complete(until: now.advanced(by: .seconds(120))))
    var lost = tracker(.running)
    #expect(lost.observe(reading("standby", file: ""), now) == nil)
    #expect(lost.nextDue(isKnown: true) == now.advanced(by: .seconds(3)))
    let later = now.advanced(by: .seconds(3))
    #expect(lost.observe(reading("standby", file: ""), later) == nil)
    #expect(lost.isMissing && lost.remembered(nil, later)?.state == .canceled)
  }

  @Test(
    "While the printer is away no look at a job is due: the job may be there again, and nothing would change before",
    arguments: [CloudJob.Phase.started, .running])
  func away(phase: CloudJob.Phase) {
    var job = tracker(phase)
    let now = time.now
    #expect(job.observe(reading("standby", file: ""), now) == nil)
    let later = now.advanced(by: .seconds(600))
    #expect(job.observe(reading("standby", isUp: false), later) == nil)
    #expect(job.nextDue(isKnown: false) == nil)
    #expect(job.observe(reading("printing", file: "x_cloud_aa.gcode"), later) == nil)
    #expect(job.job?.phase == .running && !job.isMissing)
  }

  @Test("A cancel shows until Klipper is through with it, also that of a print of one's own")
  func cancelling() {
    var tracker = none
    tracker.isCancelling = true
    #expect(StatusCode(reading("printing"), tracker) == .canceling)
    #expect(StatusCode(reading("standby"), tracker) == .idle)
  }

  @Test("Any thermometer that is named for the chamber is the chamber's")
  func chamber() {
    var status = PrinterStatus(startedAt: time.now, wallTime: time.wallTime)
    (status.link, status.klippy, status.isCurrent) = (.connected, .ready, true)
    status.objects = [
      "print_stats": ["state": "standby"], "temperature_sensor mcu": ["temperature": 50],
      "temperature_sensor chamber_rear": ["temperature": 41],
    ]
    #expect(PolarReading(status).heaters["chamber"]?.temperature == 41)
    status.objects["heater_chamber"] = ["temperature": 45, "target": 60]
    #expect(PolarReading(status).heaters["chamber"]?.target == 60)
  }

  @Test("What differs a little waits five seconds, another state goes out at once")
  func schedule() {
    var schedule = StatusSchedule(interval: .seconds(60))
    let now = time.now
    func report(_ state: String, _ duration: Double = 5) -> StatusReport {
      let reading = reading(state, duration)
      return StatusReport(
        reading, code: StatusCode(reading, none), job: nil, serialNumber: "KL1", startedAt: nil)
    }
    #expect(schedule.due(report("standby"), now) == now)
    schedule.sent(report("standby"), at: now)
    #expect(schedule.due(report("standby"), now) == now.advanced(by: .seconds(60)))
    #expect(schedule.due(report("printing"), now) == now.advanced(by: .seconds(1)))
  }
}
