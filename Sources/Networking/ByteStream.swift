/// A connected stream of bytes on the network thread: a libcurl connection or a Unix socket.
protocol ByteStream: AnyObject {
  /// Starts to connect.
  ///
  /// - Returns: true when connected at once; else the activity's `transferEnded` comes later, to be passed on to `connected`.
  func connect(for activity: any Activity, on loop: NetworkLoop) throws(NetworkError) -> Bool

  /// The transfer that connects has ended.
  func connected(_ result: CurlResult) throws(NetworkError)

  /// The socket to watch, once connected.
  var descriptor: Int32? { get }

  /// Reads what is there, up to 16 KiB.
  func read() -> ReadOutcome

  /// Writes a part of `bytes`; after `.again`, the same bytes must be offered again (OpenSSL insists on it).
  func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome

  /// Closes; nil when the network thread is not running.
  func close(on loop: NetworkLoop?)
}

/// What a read brought.
enum ReadOutcome {
  /// `isAll`: nothing more is there at present, so that asking again would find out nothing.
  case bytes([UInt8], isAll: Bool)
  /// Nothing at present.
  case again
  /// The other side has ended the stream.
  case end
  case failed(String)
}

/// What became of a write.
enum WriteOutcome {
  case wrote(Int)
  /// No room at present.
  case again
  case failed(String)
}
