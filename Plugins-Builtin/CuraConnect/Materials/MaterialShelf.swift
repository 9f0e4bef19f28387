internal import JSON
internal import Platform

/// The material profiles that Cura has sent: what is missing here it sends again at each connection, for minutes.
final class MaterialShelf: Sendable {
  /// The most profiles.
  static let most = 2_000
  /// The largest profile, in bytes.
  static let mostBytes = 1 << 20
  private struct State: Sendable {
    var materials: [String: Material]
    var answer: [UInt8]?
    var bytes: Int
  }
  /// The most bytes of all that is kept of them.
  static let mostKept = 256 << 10
  private let state: Guarded<State>

  /// What was kept.
  init(_ stored: JSONValue?) {
    let materials = (stored?.array ?? []).prefix(Self.most).compactMap { Material($0) }
    let known = Dictionary(materials.map { ($0.guid, $0) }, uniquingKeysWith: { $1 })
    state = Guarded(
      State(materials: known, answer: nil, bytes: known.values.reduce(0) { $0 + $1.bytes }))
  }

  /// Takes a profile in; false where there is no room for one more.
  func put(_ material: Material) -> Bool {
    state.withLock { state in
      let former = state.materials[material.guid]
      guard former != nil || state.materials.count < Self.most else { return false }
      // They lie in one file with the printer's identity, which is never to become too large to be read.
      let size = state.bytes - (former?.bytes ?? 0) + material.bytes
      guard size <= Self.mostKept else { return false }
      state.bytes = size
      state.materials[material.guid] = material
      state.answer = nil
      return true
    }
  }

  /// A profile by its GUID.
  subscript(guid: String) -> Material? { state.withLock { $0.materials[guid] } }

  /// The loaded materials with the names that their profiles give them.
  func named(_ loaded: [LoadedMaterial]) -> [LoadedMaterial] {
    loaded.map { loaded in
      guard !loaded.guid.isEmpty, let profile = self[loaded.guid] else { return loaded }
      var named = loaded
      named.material = profile.material
      named.brand = profile.brand
      named.color = profile.colorCode
      return named
    }
  }

  /// The answer to `GET materials`: made once for each change.
  var body: [UInt8] {
    state.withLock { state in
      if let answer = state.answer { return answer }
      let list = state.materials.values.sorted { $0.guid < $1.guid }.map { material in
        ["guid": .string(material.guid), "version": .integer(material.version)] as JSONValue
      }
      let answer = JSONValue.array(list).serialized()
      state.answer = answer
      return answer
    }
  }

  /// What is kept on the disk.
  var stored: JSONValue {
    state.withLock { state in
      .array(state.materials.values.sorted { $0.guid < $1.guid }.map(\.stored))
    }
  }
}
