internal import CExpat

/// Reads a small XML document as a series of events (on expat). Documents with a DOCTYPE are refused, so that there are no
/// entities but the five that are built in, and nothing is ever fetched.
package enum XMLDocumentReader {
  /// What stands in the document.
  package enum Event: Sendable, Hashable {
    /// An element begins: its name, with its namespace and a space in front where it has one.
    case start(String)
    /// Text of the present element; may come in several pieces.
    case text(String)
    /// The element ends.
    case end(String)
  }
  /// Why a document is not read.
  package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    package var description: String
  }
  /// The deepest nesting.
  private static let mostDepth = 64

  /// Reads all of `document`.
  ///
  /// - Parameter take: is given each event, in order.
  /// - Throws: ``Failure`` where it is not well-formed, has a DOCTYPE, or is nested more than 64 deep.
  package static func read(_ document: [UInt8], take: @escaping (Event) -> Void) throws(Failure) {
    guard let size = Int32(exactly: document.count) else { throw Failure(description: "too long") }
    guard let parser = unsafe XML_ParserCreateNS(nil, CChar(truncatingIfNeeded: 0x20)) else {
      throw Failure(description: "there is no memory to read it")
    }
    defer { unsafe XML_ParserFree(parser) }
    let reading = unsafe Reading(parser: parser, take: take)
    unsafe XML_SetUserData(parser, Unmanaged.passUnretained(reading).toOpaque())
    unsafe XML_SetElementHandler(parser, elementStarts, elementEnds)
    unsafe XML_SetCharacterDataHandler(parser, textComes)
    unsafe XML_SetStartDoctypeDeclHandler(parser, doctypeStarts)
    let status = unsafe document.withUnsafeBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) {
        unsafe XML_Parse(parser, $0.baseAddress, size, 1)
      }
    }
    withExtendedLifetime(reading) {}
    if let problem = reading.problem { throw Failure(description: problem) }
    guard status == XML_STATUS_OK else {
      throw Failure(
        description: "not well-formed in line \(unsafe XML_GetCurrentLineNumber(parser))")
    }
  }

  /// One document on its way through expat.
  @safe fileprivate final class Reading {
    private let parser: XML_Parser
    let take: (Event) -> Void
    var depth = 0
    private(set) var problem: String?

    init(parser: XML_Parser, take: @escaping (Event) -> Void) {
      unsafe self.parser = unsafe parser
      self.take = take
    }

    func stop(_ problem: String) {
      self.problem = self.problem ?? problem
      _ = unsafe XML_StopParser(parser, XML_Bool(0))
    }

    func start(_ name: String) {
      depth += 1
      guard depth <= mostDepth else { return stop("nested too deep") }
      take(.start(name))
    }
  }
}

private func reading(_ context: UnsafeMutableRawPointer?) -> XMLDocumentReader.Reading? {
  guard let context = unsafe context else { return nil }
  return unsafe Unmanaged<XMLDocumentReader.Reading>.fromOpaque(context).takeUnretainedValue()
}

private func elementStarts(
  context: UnsafeMutableRawPointer?, name: UnsafePointer<CChar>?,
  attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) {
  guard let name = unsafe name else { return }
  unsafe reading(context)?.start(String(cString: name))
}

private func elementEnds(context: UnsafeMutableRawPointer?, name: UnsafePointer<CChar>?) {
  guard let name = unsafe name, let reading = unsafe reading(context) else { return }
  reading.depth -= 1
  reading.take(.end(unsafe String(cString: name)))
}

private func textComes(
  context: UnsafeMutableRawPointer?, text: UnsafePointer<CChar>?, length: Int32
) {
  let bytes = unsafe UnsafeRawBufferPointer(start: text, count: Int(max(0, length)))
  unsafe reading(context)?.take(.text(String(decoding: bytes, as: UTF8.self)))
}

private func doctypeStarts(
  context: UnsafeMutableRawPointer?, name: UnsafePointer<CChar>?,
  systemID: UnsafePointer<CChar>?, publicID: UnsafePointer<CChar>?, hasSubset: Int32
) {
  unsafe reading(context)?.stop("it has a DOCTYPE, which is not read")
}
