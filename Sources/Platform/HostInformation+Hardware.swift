extension HostInformation {
  /// The address of this host's own network hardware, `AA:BB:CC:DD:EE:FF`: of the interface that the default route takes,
  /// else of the first real one by name; nil where there is none.
  ///
  /// Bridges, tunnels and what containers bring do not count: theirs change. Blocks for a moment.
  ///
  /// - Parameters:
  ///   - interfaces: where the kernel shows its interfaces.
  ///   - routes: where it shows its routes.
  package static func hardwareAddress(
    interfaces: String = "/sys/class/net", routes: String = "/proc/net/route"
  ) -> String? {
    let names = ((try? Files.names(in: interfaces)) ?? []).sorted()
    let preferred = defaultInterface(routes)
    let ordered = names.filter { $0 == preferred } + names.filter { $0 != preferred }
    for name in ordered where isOwn(name) {
      guard let text = try? Files.read("\(interfaces)/\(name)/address", limit: 4_096),
        let address = hardwareAddress(in: text)
      else { continue }
      return address
    }
    return nil
  }

  private static func isOwn(_ name: String) -> Bool {
    let foreign = ["lo", "docker", "veth", "br-", "virbr", "tun", "tap", "wg", "zt", "tailscale"]
    return !foreign.contains { name.hasPrefix($0) }
  }

  /// Six pairs of digits, and not all of them zero.
  private static func hardwareAddress(in text: [UInt8]) -> String? {
    let address = String(decoding: text.prefix { $0 > 0x20 }, as: UTF8.self).uppercased()
    let pairs = address.split(separator: ":")
    guard pairs.count == 6, pairs.allSatisfy({ $0.count == 2 && UInt8($0, radix: 16) != nil }),
      pairs.contains(where: { $0 != "00" })
    else { return nil }
    return address
  }

  /// The interface of the default route, in the kernel's table: name, then the destination in hexadecimal digits.
  private static func defaultInterface(_ routes: String) -> String? {
    guard let table = try? Files.read(routes, limit: 1 << 20) else { return nil }
    for line in String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst() {
      let columns = line.split(separator: "\t")
      guard columns.count > 2, columns[1].allSatisfy({ $0 == "0" }) else { continue }
      return String(columns[0])
    }
    return nil
  }
}
