package import JSON

/// One of Moonraker's folders: `gcodes`, `config`, `logs`…
package struct FileRoot: Sendable, Hashable {
  /// Its name.
  package var name: String
  /// Its absolute path at Moonraker's host.
  package var path: String
  /// What Moonraker's clients may do there: `r` or `rw`.
  package var permissions: String

  /// A root from one element of `server.files.roots`; nil where name or absolute path is missing.
  package init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let path = json["path"]?.string,
      path.utf8.first == UInt8(ascii: "/")
    else { return nil }
    self.name = name
    self.path = path
    permissions = json["permissions"]?.string ?? ""
  }
}
