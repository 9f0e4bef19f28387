internal import CAvahi
internal import Platform

/// The Avahi client library, opened when it is first wanted and kept; a table of its functions.
@safe
final class AvahiLibrary: Sendable {
  /// Its name on every Linux.
  static let name = "libavahi-client.so.3"
  private static let shared = Guarded<AvahiLibrary?>(nil)

  /// The library of this host; opened by whoever asks first.
  ///
  /// - Throws: `AdvertisingFailure` (`libraryMissing`); it is looked for again next time.
  static func opened() throws(AdvertisingFailure) -> AvahiLibrary {
    try shared.withLock { (library) throws(AdvertisingFailure) in
      if let library { return library }
      let opened = try AvahiLibrary(opening: name)
      library = opened
      return opened
    }
  }

  private nonisolated(unsafe) let table: UnsafeMutablePointer<avahi_shim_functions>

  /// The functions, for calls through the shim.
  var functions: UnsafePointer<avahi_shim_functions> { unsafe UnsafePointer(table) }

  /// Opens the library of this name.
  ///
  /// - Throws: `AdvertisingFailure` (`libraryMissing`).
  init(opening name: String) throws(AdvertisingFailure) {
    var found = avahi_shim_functions()
    var words: UnsafePointer<CChar>?
    guard unsafe avahi_shim_open(name, &found, &words) == 0 else {
      let reason = unsafe words.map { unsafe String(cString: $0) } ?? "unknown"
      throw AdvertisingFailure(
        .libraryMissing, "the Avahi library cannot be used: \(reason)",
        remedy:
          "install it (sudo apt install avahi-daemon libavahi-client3), or write 'advertise: off' and add the printer by its address"
      )
    }
    unsafe table = .allocate(capacity: 1)
    unsafe table.initialize(to: found)
  }

  deinit { unsafe table.deallocate() }

  /// What an error number of the library's means.
  func problem(_ number: Int32) -> AvahiProblem {
    let words =
      unsafe avahi_shim_strerror(functions, number).map { unsafe String(cString: $0) }
      ?? "error \(number)"
    let kind: AvahiProblem.Kind =
      switch Int(number) {
      case AVAHI_ERR_COLLISION: .collision
      case AVAHI_ERR_INVALID_SERVICE_NAME, AVAHI_ERR_INVALID_SERVICE_TYPE, AVAHI_ERR_INVALID_PORT,
        AVAHI_ERR_INVALID_KEY, AVAHI_ERR_INVALID_RECORD, AVAHI_ERR_INVALID_RDATA,
        AVAHI_ERR_INVALID_ARGUMENT, AVAHI_ERR_ACCESS_DENIED, AVAHI_ERR_NOT_PERMITTED:
        .refusal
      default: .other
      }
    return AvahiProblem(kind: kind, words: words)
  }
}
