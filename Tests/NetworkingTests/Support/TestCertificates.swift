import Foundation

/// Certificates made with the openssl command, once per run, in a folder of their own.
enum TestCertificates {
  static let folder: String = {
    let folder = "/tmp/networking-certificates-\(getpid())"
    let script = Process()
    script.executableURL = URL(filePath: "/bin/sh")
    script.arguments = ["-e", "-c", make, "sh", folder]
    script.standardError = FileHandle.nullDevice
    script.standardOutput = FileHandle.nullDevice
    try? script.run()
    script.waitUntilExit()
    precondition(script.terminationStatus == 0, "openssl failed")
    atexit { try? FileManager.default.removeItem(atPath: TestCertificates.folder) }
    return folder
  }()

  static var ca: String { "\(folder)/ca.pem" }
  static var otherCA: String { "\(folder)/other.pem" }

  /// libcurl's form of the key of the certificate `name`.
  static func pin(of name: String) throws -> String {
    let text = try String(contentsOfFile: "\(folder)/\(name).pin", encoding: .utf8)
    return "sha256//" + text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static let make = """
    mkdir -p "$1"; cd "$1"
    cat > ca.cnf <<END
    [ca]
    default_ca = it
    [it]
    dir = .
    database = index.txt
    new_certs_dir = .
    serial = serial
    default_md = sha256
    policy = any
    copy_extensions = copy
    unique_subject = no
    [any]
    commonName = supplied
    END
    : > index.txt; echo 1000 > serial
    for name in ca other; do
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \\
        -subj "/CN=Test $name" -keyout $name.key -out $name.pem
    done
    issue() {
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \\
        -addext "subjectAltName=$2" -keyout $1.key -out $1.csr
      openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -startdate $3 -enddate $4 \\
        -in $1.csr -out $1.pem -notext
      openssl x509 -in $1.pem -pubkey -noout | openssl pkey -pubin -outform der \\
        | openssl dgst -sha256 -binary | openssl base64 > $1.pin
    }
    issue good IP:127.0.0.1,DNS:cloud.test 20200101000000Z 20990101000000Z
    issue expired IP:127.0.0.1 20200101000000Z 20210101000000Z
    issue early IP:127.0.0.1 20980101000000Z 20990101000000Z
    issue elsewhere DNS:elsewhere.test 20200101000000Z 20990101000000Z
    """
}
