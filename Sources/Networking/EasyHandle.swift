internal import CCurl

/// Owner of one libcurl transfer handle and of the lists that it refers to.
@safe final class EasyHandle {
  let pointer: UnsafeMutableRawPointer
  private var fields: UnsafeMutablePointer<curl_slist>?
  /// libcurl's own words about a failure; TLS only, since elsewhere they may quote a proxy's password.
  private let failureText: UnsafeMutablePointer<CChar>

  init?() {
    guard let pointer = unsafe curl_easy_init() else { return nil }
    unsafe self.pointer = unsafe pointer
    unsafe failureText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe failureText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    unsafe curl_shim_set_pointer(pointer, CURLOPT_ERRORBUFFER, failureText)
  }

  deinit {
    unsafe curl_easy_cleanup(pointer)
    unsafe curl_slist_free_all(fields)
    unsafe failureText.deallocate()
  }

  func set(_ option: CURLoption, _ value: Int) { unsafe curl_shim_set_long(pointer, option, value) }

  func set(_ option: CURLoption, offset value: Int) {
    unsafe curl_shim_set_offset(pointer, option, curl_off_t(value))
  }

  /// Sets or, with nil, clears a text; libcurl copies it. False when it was refused.
  @discardableResult
  func set(_ option: CURLoption, _ value: String?) -> Bool {
    guard let value else { return unsafe curl_shim_set_string(pointer, option, nil) == CURLE_OK }
    return unsafe curl_shim_set_string(pointer, option, value) == CURLE_OK
  }

  func set(_ option: CURLoption, pointer value: UnsafeMutableRawPointer?) {
    unsafe curl_shim_set_pointer(pointer, option, value)
  }

  /// Sets the callback for a header line's or a body's bytes, and what it is called with.
  func set(
    _ option: CURLoption, _ callback: curl_shim_data, context: CURLoption,
    _ object: UnsafeMutableRawPointer
  ) {
    unsafe curl_shim_set_data(pointer, option, callback)
    unsafe curl_shim_set_pointer(pointer, context, object)
  }

  /// The body to send; libcurl copies it.
  func setBody(_ bytes: [UInt8]) {
    set(CURLOPT_POST, 1)
    set(CURLOPT_POSTFIELDSIZE_LARGE, offset: bytes.count)
    // An empty array has no address, and no address would mean "ask a callback".
    let source = bytes.isEmpty ? [0] : bytes
    _ = unsafe source.withUnsafeBytes {
      unsafe curl_shim_set_bytes(pointer, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
    }
  }

  /// Header lines to send beside libcurl's own (`Name: value`; `Name:` takes one of libcurl's away).
  func setFields(_ lines: [String]) -> Bool {
    for line in lines {
      guard let longer = unsafe curl_slist_append(fields, line) else { return false }
      unsafe fields = unsafe longer
    }
    return unsafe curl_shim_set_list(pointer, CURLOPT_HTTPHEADER, fields) == CURLE_OK
  }

  func number(_ info: CURLINFO) -> Int {
    var value = 0
    return unsafe curl_shim_get_long(pointer, info, &value) == CURLE_OK ? value : 0
  }

  /// The connection's socket, after a transfer with `CURLOPT_CONNECT_ONLY`.
  var socket: Int32? {
    var value: curl_socket_t = -1
    return unsafe curl_shim_get_socket(pointer, &value) == CURLE_OK && value >= 0 ? value : nil
  }

  /// The last answer's header fields, in order.
  var answerFields: [HTTPField] {
    var fields: [HTTPField] = []
    var last: UnsafeMutablePointer<curl_header>?
    while let next = unsafe curl_easy_nextheader(pointer, UInt32(CURLH_HEADER), -1, last) {
      if let name = unsafe next.pointee.name, let value = unsafe next.pointee.value {
        unsafe fields.append(HTTPField(String(cString: name), String(cString: value)))
      }
      unsafe last = unsafe next
    }
    return fields
  }

  /// What libcurl says of a failure in TLS.
  var failureMessage: String { unsafe String(cString: failureText) }
}
