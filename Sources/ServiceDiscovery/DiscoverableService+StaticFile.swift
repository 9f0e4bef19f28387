extension DiscoverableService {
  /// The same service as a file for `/etc/avahi/services`, for hosts where it shall be shown without us.
  ///
  /// Avahi reads it at once; it shows the service for as long as the file is there, whether or not we run.
  package var staticFile: String {
    let records = text.map { entry in
      "    <txt-record>\(Self.escaped("\(entry.key)=\(entry.value)"))</txt-record>\n"
    }
    return """
      <?xml version="1.0" standalone="no"?>
      <!DOCTYPE service-group SYSTEM "avahi-service.dtd">
      <service-group>
        <name>\(Self.escaped(instance))</name>
        <service protocol="ipv4">
          <type>\(Self.escaped(type))</type>
          <port>\(port)</port>
      \(records.joined())  </service>
      </service-group>

      """
  }

  /// Text of XML: markup escaped, without the control characters that no document may hold.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": break
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
