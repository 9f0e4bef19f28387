internal import ConnectorKit
internal import JSON

/// The `params` of a command, looked up one by one: what nobody asks for is never made into values.
///
/// A parameter of the wrong type counts as missing.
struct CommandParameters: Sendable {
  /// Why a command cannot be done with its parameters.
  struct Defect: Error, Sendable, Hashable {
    /// What PrintDock is told.
    var problem: String
  }

  /// No parameter but a file's content is longer, in bytes.
  private static let longest = 65_536

  private let object: JSONSlice?

  /// Absent, null, an object, or a string that holds an object; nil where it is none of these.
  init?(_ slice: JSONSlice?) {
    switch slice?.kind {
    case nil, .null: object = nil
    case .object: object = slice
    case .string:
      guard let text = try? slice?.value(limits: JSONLimits(bytes: .max, depth: 1)).string,
        let inner = try? JSONSlice(document: Array(text.utf8), limits: JSONLimits(bytes: .max)),
        inner.kind == .object
      else { return nil }
      object = inner
    default: return nil
    }
  }

  /// A text that must be there.
  ///
  /// - Parameter purpose: how the text on its absence goes on: ` for start_print`.
  func text(_ key: String, _ purpose: String = "") throws(Defect) -> String {
    guard let slice = object?[key], slice.kind == .string else {
      throw Defect(problem: "missing params.\(key)\(purpose)")
    }
    guard slice.count <= Self.longest, let text = try? slice.value().string else {
      throw Defect(problem: "invalid params.\(key)")
    }
    guard !text.isEmpty else { throw Defect(problem: "missing params.\(key)\(purpose)") }
    return text
  }

  /// The path of a file, by the one rule for all paths.
  func path(_ purpose: String) throws(Defect) -> GCodePath {
    let text = try text("filename", purpose)
    guard let path = GCodePath(text) else { throw Defect(problem: "invalid params.filename") }
    return path
  }

  /// The text of a file, left where it lies.
  func content(_ purpose: String) throws(Defect) -> JSONSlice {
    guard let slice = object?["content"], slice.kind == .string, slice.count > 2 else {
      throw Defect(problem: "missing params.content\(purpose)")
    }
    return slice
  }

  /// A value that may be missing.
  func value(_ key: String) throws(Defect) -> JSONValue? {
    guard let slice = object?[key] else { return nil }
    guard slice.count <= Self.longest else { throw Defect(problem: "invalid params.\(key)") }
    guard let value = try? slice.value(limits: JSONLimits(bytes: Self.longest, depth: 16)) else {
      throw Defect(problem: "invalid params.\(key)")
    }
    return value
  }
}
