import TestSupport
import Testing

@testable import HTTPServer

@Suite("The holder of a port") struct PortHolderTests {
  private let table = """
      sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
       0: 0100007F:1C0C 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48123 1 0 100
       1: 0100007F:1C0D 0100007F:9999 01 00000000:00000000 00:00000000 00000000   33        0 48124 1 0 100
       2: short
    """

  @Test("A listener is found by its port, a mere connection is not")
  func listener() throws {
    let found = try #require(PortHolder.listener(port: 0x1C0C, in: table))
    #expect(found.user == "1000")
    #expect(found.inode == "48123")
    #expect(PortHolder.listener(port: 0x1C0D, in: table) == nil)
    #expect(PortHolder.listener(port: 80, in: "") == nil)
  }
}
