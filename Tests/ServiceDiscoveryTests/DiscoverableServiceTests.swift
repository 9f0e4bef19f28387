import Testing

@testable import ServiceDiscovery

@Suite("A service for the network")
struct DiscoverableServiceTests {
  @Test("Its static file is what Avahi reads, with every mark-up character escaped")
  func staticFile() {
    let service = DiscoverableService(
      instance: "ultimakersystem-b827eb000001", type: "_ultimaker._tcp", port: 80,
      text: [.init("type", "printer"), .init("name", "Tom & Jerry <\u{7}3>")])
    #expect(
      service.staticFile == """
        <?xml version="1.0" standalone="no"?>
        <!DOCTYPE service-group SYSTEM "avahi-service.dtd">
        <service-group>
          <name>ultimakersystem-b827eb000001</name>
          <service protocol="ipv4">
            <type>_ultimaker._tcp</type>
            <port>80</port>
            <txt-record>type=printer</txt-record>
            <txt-record>name=Tom &amp; Jerry &lt;3&gt;</txt-record>
          </service>
        </service-group>

        """)
  }

  @Test("Names are cut at a character where DNS has no room for more")
  func limits() {
    let long = String(repeating: "ö", count: 200)
    let service = DiscoverableService(
      instance: long, type: "_ultimaker._tcp", port: 80, text: [.init("name", long)])
    #expect(service.instance == String(repeating: "ö", count: 31))
    #expect(service.text[0].value == String(repeating: "ö", count: 125))
    #expect(service.text[0].key.utf8.count + 1 + service.text[0].value.utf8.count <= 255)
  }
}
