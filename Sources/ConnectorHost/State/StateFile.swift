internal import Glibc
internal import JSON
internal import Platform

/// A small JSON document in the state directory, with a schema version.
///
/// Schemas only ever add: a file of the next schema can still be read, so that a release can be rolled back;
/// one from a much newer program is refused. All of it blocks.
struct StateFile: Sendable {
  /// Why a file cannot be used.
  enum Failure: Error, Sendable, CustomStringConvertible {
    /// It is no such document.
    case damaged(path: String, problem: String)
    /// A much newer program wrote it.
    case newer(path: String, schema: Int64)
    /// The system refused.
    case system(PlatformError)

    /// What is wrong, without a remedy: that depends on the file.
    var description: String {
      switch self {
      case .damaged(let path, let problem): "\(path) is damaged (\(problem))"
      case .newer(let path, let schema):
        "\(path) was written by a newer printer-uplink (schema \(schema), this one knows \(StateFile.schema))"
      case .system(let error): "\(error)"
      }
    }
  }

  /// The schema that this program writes.
  static let schema: Int64 = 1
  private static let limit = 1 << 20

  /// Where it lies.
  let directory: StateDirectory
  /// Its name in the directory.
  let name: String

  /// The document's members; nil when there is no file.
  func read() throws(Failure) -> JSONObject? {
    let path = directory.path(of: name)
    let bytes: [UInt8]
    do {
      guard try Files.information(path) != nil else { return nil }
      bytes = try Files.read(path, limit: Self.limit)
    } catch {
      throw .system(error)
    }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: bytes, limits: JSONLimits(bytes: Self.limit, depth: 32))
    } catch {
      throw .damaged(path: path, problem: "\(error.problem) at byte \(error.offset)")
    }
    guard let members = value.object, let schema = members["schema"]?.integer, schema >= 1 else {
      throw .damaged(path: path, problem: "it names no schema")
    }
    guard schema <= Self.schema + 1 else { throw .newer(path: path, schema: schema) }
    return members
  }

  /// Replaces the document; on return it is on the disk. What ``read()`` would not take is not written either: the former
  /// document stays.
  func write(_ members: JSONObject) throws(PlatformError) {
    var document: JSONObject = ["schema": .integer(Self.schema)]
    for (key, value) in members where key != "schema" { document[key] = value }
    let bytes = JSONValue.object(document).serialized() + [0x0A]
    guard bytes.count <= Self.limit else {
      throw PlatformError(
        operation: "write", subject: directory.path(of: name), errorNumber: EFBIG)
    }
    try directory.replace(name, with: bytes)
  }

  /// Removes the file; one that is not there is no error.
  func remove() throws(PlatformError) { try Files.remove(directory.path(of: name)) }
}
