package import JSON

/// A packet of Socket.IO 5, without the attachments of a binary one:
/// `<type>[<attachments>-][<namespace>,][<acknowledgement id>]<json>`.
package struct SocketIOPacket: Sendable, Hashable {
  /// What a packet is for, by its digit.
  package enum Kind: UInt8, Sendable, Hashable, CaseIterable {
    case connect = 0
    case disconnect = 1
    case event = 2
    case acknowledgement = 3
    case connectError = 4
    case binaryEvent = 5
    case binaryAcknowledgement = 6

    /// Whether binary messages follow.
    package var isBinary: Bool { self == .binaryEvent || self == .binaryAcknowledgement }
  }

  /// What it is for.
  package var kind: Kind
  /// How many binary messages follow.
  package var attachments: Int
  /// The namespace, with its slash.
  package var namespace: String
  /// The number that its acknowledgement carries; nil where none is asked for.
  package var id: UInt64?
  /// What it holds; nil for nothing.
  package var data: JSONValue?

  /// A packet.
  package init(
    _ kind: Kind, attachments: Int = 0, namespace: String = "/", id: UInt64? = nil,
    data: JSONValue? = nil
  ) {
    self.kind = kind
    self.attachments = attachments
    self.namespace = namespace
    self.id = id
    self.data = data
  }

  /// The most attachments that an event may announce.
  package static let attachmentLimit = 1_000
  /// The longest name of a namespace, in bytes.
  package static let namespaceLimit = 256

  /// Reads a packet; nil where it is none.
  ///
  /// What kind a packet is decides what it must hold: an event an array that begins with its name, an acknowledgement an
  /// array and an id.
  package init?(parsing bytes: [UInt8]) {
    guard let digit = bytes.first, digit >= UInt8(ascii: "0"),
      let kind = Kind(rawValue: digit - UInt8(ascii: "0"))
    else { return nil }
    self.init(kind)
    var rest = bytes[1...]
    if kind.isBinary {
      guard let count = Self.takeNumber(&rest), count <= Self.attachmentLimit,
        rest.popFirst() == UInt8(ascii: "-")
      else { return nil }
      attachments = Int(clamping: count)
    }
    if rest.first == UInt8(ascii: "/") {
      // The comma may be missing where nothing follows.
      let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
      guard rest.distance(from: rest.startIndex, to: end) <= Self.namespaceLimit,
        let name = String(validating: rest[..<end], as: UTF8.self)
      else { return nil }
      // A query behind the name addresses nothing else.
      namespace = name.firstIndex(of: "?").map { String(name[..<$0]) } ?? name
      rest = rest[end...].dropFirst()
    }
    if let first = rest.first, Self.isDigit(first) {
      guard let number = Self.takeNumber(&rest) else { return nil }
      id = number
    }
    if !rest.isEmpty {
      guard let data = try? JSONValue(parsing: bytes.span.extracting(rest.indices)) else {
        return nil
      }
      self.data = data
    }
    guard isComplete else { return nil }
  }

  /// The packet's bytes.
  package var bytes: [UInt8] {
    var bytes = [UInt8(ascii: "0") + kind.rawValue]
    if kind.isBinary { bytes += Array("\(attachments)-".utf8) }
    if namespace != "/" { bytes += Array("\(namespace),".utf8) }
    if let id { bytes += Array(String(id).utf8) }
    if let data { bytes += data.serialized() }
    return bytes
  }

  /// Whether it holds what its kind needs, and nothing of another's.
  private var isComplete: Bool {
    switch kind {
    case .connect: id == nil && (data == nil || data?.object != nil)
    case .connectError: id == nil && (data == nil || data?.object != nil || data?.string != nil)
    case .disconnect: id == nil && data == nil
    case .event, .binaryEvent: data?.array?.first?.string != nil
    case .acknowledgement, .binaryAcknowledgement: id != nil && data?.array != nil
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Takes digits off the beginning; nil where there are none, or more than a number of 64 bits has.
  private static func takeNumber(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
    let digits = rest.prefix(while: isDigit)
    rest = rest[digits.endIndex...]
    var number: UInt64 = 0
    for digit in digits {
      let (tenfold, isTooLarge) = number.multipliedReportingOverflow(by: 10)
      let (sum, isTooMuch) = tenfold.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
      guard !isTooLarge, !isTooMuch else { return nil }
      number = sum
    }
    return digits.isEmpty ? nil : number
  }
}
