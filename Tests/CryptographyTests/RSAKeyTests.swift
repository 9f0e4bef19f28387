import Cryptography
import Foundation
import Testing

@Suite("RSA keys") struct RSAKeyTests {
  /// Runs the openssl of this host; nil where it fails.
  private func openssl(_ arguments: [String]) throws -> Data? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = Pipe()
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? output : nil
  }

  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("uplink-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test("openssl verifies our signature with our public key, and no other message's")
  func signature() throws {
    let key = try RSAKey()
    let message = Array("f851a9af5942addea9ac11207730f4e3".utf8)
    let signature = try #require(key.signature(of: message))
    #expect(signature.count == 256)
    try withFolder { folder in
      let file = { (name: String) in folder.appendingPathComponent(name) }
      try Data(signature).write(to: file("signature"))
      try Data(message).write(to: file("message"))
      try Data("other".utf8).write(to: file("other"))
      try Data(try #require(key.publicPEM).utf8).write(to: file("public.pem"))
      let verify = [
        "dgst", "-sha256", "-verify", file("public.pem").path, "-signature", file("signature").path,
      ]
      #expect(try openssl(verify + [file("message").path]) != nil)
      #expect(try openssl(verify + [file("other").path]) == nil)
    }
  }

  @Test("A key is the same again after it was written, and its forms are the usual ones")
  func roundTrip() throws {
    let key = try RSAKey()
    let pem = try #require(key.privatePEM)
    #expect(
      pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n") && pem.hasSuffix("-----END PRIVATE KEY-----\n")
    )
    let again = try RSAKey(pem: pem)
    #expect(again.publicPEM == key.publicPEM)
    let lines = try #require(key.publicPEM).split(separator: "\n")
    #expect(lines.first == "-----BEGIN PUBLIC KEY-----" && lines.last == "-----END PUBLIC KEY-----")
    #expect(lines.dropFirst().dropLast(2).allSatisfy { $0.count == 64 })
  }

  @Test("The older form of the file is read as well")
  func pkcs1() throws {
    try withFolder { folder in
      let path = folder.appendingPathComponent("old.pem").path
      _ = try #require(try openssl(["genrsa", "-traditional", "-out", path, "2048"]))
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.hasPrefix("-----BEGIN RSA PRIVATE KEY-----"))
      #expect(try RSAKey(pem: text).signature(of: [1]) != nil)
    }
  }

  @Test("What is no usable key says why")
  func defects() throws {
    #expect(throws: RSAKey.Defect.unreadable) { try RSAKey(pem: "") }
    #expect(throws: RSAKey.Defect.unreadable) {
      try RSAKey(pem: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    }
    try withFolder { folder in
      let small = folder.appendingPathComponent("small.pem").path
      _ = try openssl(["genrsa", "-out", small, "1024"])
      let text = try String(contentsOfFile: small, encoding: .utf8)
      #expect(throws: RSAKey.Defect.size(bits: 1_024)) { try RSAKey(pem: text) }
      let curve = folder.appendingPathComponent("curve.pem").path
      _ = try openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", curve])
      let other = try String(contentsOfFile: curve, encoding: .utf8)
      #expect(throws: RSAKey.Defect.notRSA) { try RSAKey(pem: other) }
      let locked = folder.appendingPathComponent("locked.pem").path
      _ = try openssl(["genrsa", "-aes128", "-passout", "pass:secret", "-out", locked, "2048"])
      let protected = try String(contentsOfFile: locked, encoding: .utf8)
      #expect(throws: RSAKey.Defect.unreadable) { try RSAKey(pem: protected) }
    }
  }
}
