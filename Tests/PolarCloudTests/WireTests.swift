import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PolarCloud

@Suite("Polar: what the cloud says") struct WireTests {
  private func event(_ name: String, _ json: String) throws -> CloudEvent {
    CloudEvent(name, try JSONValue(parsing: Array(json.utf8)), serialNumber: "KL000001")
  }

  @Test("Success is a serial number and a status that says nothing else")
  func register() throws {
    #expect(
      try event("registerResponse", #"{"serialNumber":"KL1"}"#)
        == .registered(.accepted(serialNumber: "KL1")))
    for body in [
      #"{"status":"FAILED","reason":"FORBIDDEN"}"#, #""FORBIDDEN""#,
      #"{"status":"FAILED","serialNumber":"KL1","reason":"FORBIDDEN"}"#,
    ] {
      #expect(try event("registerResponse", body) == .registered(.refused(reason: "FORBIDDEN")))
    }
    #expect(
      try event("registerResponse", #"{"serialNumber":17}"#) == .registered(.refused(reason: "")))
  }

  @Test("A greeting's answer may be a bare word, and a deletion comes in two forms")
  func hello() throws {
    #expect(try event("helloResponse", #""SUCCESS""#) == .greeted(.accepted))
    #expect(try event("helloResponse", #"{"status":"DELETED"}"#) == .greeted(.deleted))
    #expect(
      try event("helloResponse", #"{"status":"FAILED","message":"Printer has been deleted"}"#)
        == .greeted(.deleted))
    #expect(try event("helloResponse", "[]") == .greeted(.refused(message: "")))
  }

  @Test("What is meant for another printer is not obeyed")
  func foreign() throws {
    #expect(
      try event("cancel", #"{"serialNumber":"KL2"}"#)
        == .foreign(name: "cancel", serialNumber: "KL2"))
    #expect(
      try event("print", #"{"serialNumber":7}"#)
        == .foreign(name: "print", serialNumber: "no text"))
    #expect(try event("pause", #"{"serialNumber":"KL000001"}"#) == .pause(jobID: nil))
    #expect(try event("pause", "{}") == .pause(jobID: nil))
  }

  @Test("A temperature is a number, or the digits of one, and nothing else")
  func temperature() throws {
    let orders = TemperatureOrder.orders(
      try JSONValue(
        parsing: Array(
          #"{"tool0":"205","tool1":1e9,"bed":"60\nM112","chamber":-1,"tool01":5,"nozzle":1,"tool2":"nan"}"#
            .utf8)))
    #expect(
      orders.map(\.heater) == ["extruder", "extruder1", "heater_bed", "chamber", "extruder2"])
    #expect(orders.map(\.celsius) == [205, nil, nil, nil, nil])
  }

  @Test("A form that would smuggle something in is not used")
  func forms() throws {
    for fields in [
      #"{"a\r\nb":"x"}"#, #"{"a":"x\r\ny"}"#, #"{"a\"b":"x"}"#, #"{"file":"x"}"#, #"{"a":["x"]}"#,
    ] {
      let answer = try event(
        "getUrlResponse",
        #"{"status":"SUCCESS","url":"https://s3.test/b","expires":60,"fields":\#(fields)}"#)
      #expect(answer == .form(.refused("its fields cannot be used")))
    }
    #expect(
      try event("getUrlResponse", #"{"status":"SUCCESS","url":"ftp://x/","fields":{}}"#)
        == .form(.refused("its address cannot be used")))
  }

  @Test("The picture is the last part, the fields stand before it in their order")
  func multipart() throws {
    let form = UploadForm(
      url: "https://s3.test/b",
      fields: [.init(name: "key", value: "k"), .init(name: "Policy", value: "p")],
      maximumSize: nil, lifetime: 60)
    let request = PictureBody.request(
      form, Array("JPEG".utf8), boundary: "B",
      addresses: .publicOnly(except: []))
    #expect(
      String(decoding: request.body ?? [], as: UTF8.self)
        == "--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n"
        + "--B\r\nContent-Disposition: form-data; name=\"Policy\"\r\n\r\np\r\n"
        + "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"image.jpg\"\r\n"
        + "Content-Type: image/jpeg\r\n\r\nJPEG\r\n--B--\r\n")
    #expect(request.addresses == .publicOnly(except: []))
  }

  @Test(
    "A form is asked for once, used until shortly before its end, and renewed when it is refused")
  func desk() throws {
    let time = ManualTime()
    var desk = ImageDesk(
      isOn: true, printingInterval: .seconds(10), idleInterval: .seconds(60))
    let form = UploadForm(url: "https://s3.test/b", fields: [], maximumSize: nil, lifetime: 100)
    #expect(desk.step(.idle, time.now) == .ask(.idle))
    #expect(desk.step(.idle, time.now) == nil)
    #expect(desk.take(.form(form, type: "idle"), time.now, random: 0.5) == nil)
    #expect(desk.take(.form(form, type: "idle"), time.now, random: 0.5) != nil, "nobody asked")
    #expect(desk.step(.idle, time.now) == .upload(form, .idle))
    desk.ended(.done, .idle, time.now, random: 0.5)
    #expect(desk.step(.idle, time.now.advanced(by: .seconds(59))) == nil)
    let minute = time.now.advanced(by: .seconds(60))
    #expect(desk.step(.idle, minute) == .upload(form, .idle))
    desk.ended(.formRefused, .idle, minute, random: 0.5)
    #expect(desk.step(.idle, minute) == .ask(.idle))
    // The form of a job is its own.
    desk.disconnected()
    #expect(desk.step(.printing(jobID: "aa"), minute) == .ask(.printing(jobID: "aa")))
    var expiring = ImageDesk(isOn: true, printingInterval: .seconds(10), idleInterval: .seconds(60))
    _ = expiring.step(.idle, time.now)
    _ = expiring.take(.form(form, type: nil), time.now, random: 0.5)
    #expect(expiring.step(.idle, time.now.advanced(by: .seconds(70))) == .ask(.idle))
  }
}
