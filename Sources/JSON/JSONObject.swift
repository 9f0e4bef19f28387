/// The members of a JSON object, in the order in which they came.
///
/// Few members are searched one by one, many through an index, so that a hostile document costs no
/// more per byte than an honest one. Keys are compared byte for byte: two spellings of an accented
/// letter are two keys. Two objects are equal when they hold equal members, in whatever order.
package struct JSONObject: Sendable {
  /// One member.
  package typealias Member = (key: String, value: JSONValue)

  /// Up to this many members are searched without an index.
  private static let searchedLinearly = 16

  private var members: [Member]
  /// Where each key stands in `members`; empty as long as there are few.
  private var index: [JSONKey: Int]?

  /// An object without members.
  package init() { members = [] }

  /// An object with these members; of several with one key the last one's value counts, in the
  /// first one's place.
  init(uniquing found: ArraySlice<Member>) {
    guard found.count > Self.searchedLinearly else {
      members = Array(found)
      if hasRepeatedKey {
        members = []
        for member in found { self[member.key] = member.value }
      }
      return
    }
    var index: [JSONKey: Int] = [:]
    index.reserveCapacity(found.count)
    members = []
    members.reserveCapacity(found.count)
    for member in found {
      let key = JSONKey(member.key)
      if let position = index[key] {
        members[position].value = member.value
      } else {
        index[key] = members.count
        members.append(member)
      }
    }
    self.index = members.count > Self.searchedLinearly ? index : nil
  }

  /// How many members there are.
  package var count: Int { members.count }
  /// Whether there are none.
  package var isEmpty: Bool { members.isEmpty }
  /// The keys, in order.
  package var keys: [String] { members.map(\.key) }

  /// The member `key`; setting nil removes it, setting another value keeps its place.
  ///
  /// Removing takes time in proportion to the number of members.
  package subscript(key: String) -> JSONValue? {
    get { position(of: key).map { members[$0].value } }
    set {
      switch (position(of: key), newValue) {
      case (let position?, let value?): members[position].value = value
      case (let position?, nil): remove(at: position)
      case (nil, let value?): append((key, value))
      case (nil, nil): break
      }
    }
  }

  private var hasRepeatedKey: Bool {
    for (number, member) in members.enumerated() {
      for earlier in members.prefix(number) where JSONKey.areEqual(earlier.key, member.key) {
        return true
      }
    }
    return false
  }

  private func position(of key: String) -> Int? {
    if let index { return index[JSONKey(key)] }
    return members.firstIndex { JSONKey.areEqual($0.key, key) }
  }

  private mutating func append(_ member: Member) {
    members.append(member)
    if index != nil {
      index?[JSONKey(member.key)] = members.count - 1
    } else if members.count > Self.searchedLinearly {
      rebuildIndex()
    }
  }

  private mutating func remove(at position: Int) {
    members.remove(at: position)
    index = nil
    if members.count > Self.searchedLinearly { rebuildIndex() }
  }

  private mutating func rebuildIndex() {
    var index: [JSONKey: Int] = [:]
    index.reserveCapacity(members.count)
    for (position, member) in members.enumerated() { index[JSONKey(member.key)] = position }
    self.index = index
  }
}

extension JSONObject: Hashable {
  /// Whether both hold equal members, in whatever order.
  package static func == (left: JSONObject, right: JSONObject) -> Bool {
    guard left.count == right.count else { return false }
    for (mine, other) in zip(left.members, right.members) {
      if JSONKey.areEqual(mine.key, other.key) {
        guard mine.value == other.value else { return false }
      } else {
        guard right[mine.key] == mine.value, left[other.key] == other.value else { return false }
      }
    }
    return true
  }

  /// Hashes the members without regard to their order.
  package func hash(into hasher: inout Hasher) {
    var combined = 0
    for member in members {
      var hash = Hasher()
      hash.combine(JSONKey(member.key))
      hash.combine(member.value)
      combined ^= hash.finalize()
    }
    hasher.combine(members.count)
    hasher.combine(combined)
  }
}

extension JSONObject: Sequence, ExpressibleByDictionaryLiteral {
  /// An object with these members; of several with one key the last counts.
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self.init()
    members.reserveCapacity(elements.count)
    for (key, value) in elements { self[key] = value }
  }

  /// The members in order.
  package func makeIterator() -> IndexingIterator<[(key: String, value: JSONValue)]> {
    members.makeIterator()
  }
}
