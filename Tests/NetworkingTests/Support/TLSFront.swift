import Foundation
import Platform

/// Takes TLS connections, one port per certificate, and passes what they carry on to a plain port.
final class TLSFront: Sendable {
  /// The port that shows each certificate; `old` shows the good one, but speaks TLS 1.1 at most.
  let ports: [String: Int]
  private let process: Guarded<Process>

  init(before backend: Int) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", Self.script, TestCertificates.folder, "\(backend)"]
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = Pipe()  // its end tells the script to go
    try process.run()
    var ports: [String: Int] = [:]
    var text = ""
    while !text.hasSuffix("ready\n") {
      let data = output.fileHandleForReading.availableData
      if data.isEmpty { break }
      text += String(decoding: data, as: UTF8.self)
    }
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2 { ports[String(words[0])] = Int(words[1]) }
    }
    self.ports = ports
    self.process = Guarded(process)
  }

  deinit { process.withLock { $0.terminate() } }

  func url(_ name: String, host: String = "127.0.0.1", scheme: String = "https") -> String {
    "\(scheme)://\(host):\(ports[name] ?? 0)/"
  }

  private static let script = """
    import socket, ssl, sys, threading, warnings
    warnings.simplefilter("ignore")
    folder, backend = sys.argv[1], int(sys.argv[2])

    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve(plain, context):
        try:
            secure = context.wrap_socket(plain, server_side=True)
        except OSError:
            return plain.close()
        behind = socket.create_connection(("127.0.0.1", backend))
        threading.Thread(target=pump, args=(secure, behind), daemon=True).start()
        pump(behind, secure)

    def accept(listener, context):
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=serve, args=(plain, context), daemon=True).start()

    for name in ("good", "expired", "early", "elsewhere", "old"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate = "good" if name == "old" else name
        if name == "old":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.load_cert_chain(f"{folder}/{certificate}.pem", f"{folder}/{certificate}.key")
        listener = socket.create_server(("127.0.0.1", 0))
        print(name, listener.getsockname()[1])
        threading.Thread(target=accept, args=(listener, context), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    """
}
