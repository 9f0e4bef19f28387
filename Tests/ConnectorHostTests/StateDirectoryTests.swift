import ConnectorHost
import Foundation
import Platform
import Testing

@Suite("State directory") struct StateDirectoryTests {
  @Test(
    "The place is as configured, else systemd's, else the system's, else the user's own",
    arguments: [
      ("/srv/x", ["STATE_DIRECTORY": "/s"], true, "/srv/x"),
      ("~/x", ["HOME": "/home/pi"], true, "/home/pi/x"),
      (nil, ["STATE_DIRECTORY": "/s:/t", "HOME": "/h"], true, "/s"),
      (nil, ["STATE_DIRECTORY": "", "HOME": "/h"], true, "/var/lib/printer-uplink"),
      (nil, ["XDG_STATE_HOME": "/x/", "HOME": "/h"], false, "/x/printer-uplink"),
      (nil, ["XDG_STATE_HOME": "x", "HOME": "/h"], false, "/h/.local/state/printer-uplink"),
      (nil, ["HOME": "/h/"], false, "/h/.local/state/printer-uplink"),
    ] as [(String?, [String: String], Bool, String)])
  func location(
    configured: String?, environment: [String: String], systemIsWritable: Bool, expected: String
  ) throws {
    let path = try StateDirectory.location(
      configured: configured, environment: environment, canUse: { _ in systemIsWritable })
    #expect(path == expected)
  }

  @Test(
    "An instance's file finds its own state folder, any other file the common one",
    arguments: [
      ("/etc/printer-uplink/voron.yaml", true, "/var/lib/printer-uplink-voron"),
      ("/etc/printer-uplink/voron.conf", true, "/var/lib/printer-uplink-voron"),
      ("/etc/printer-uplink/voron.yaml", false, "/h/.local/state/printer-uplink-voron"),
      ("/etc/printer-uplink/printer-uplink.yaml", true, "/var/lib/printer-uplink"),
      ("/etc/printer-uplink/sub/voron.yaml", true, "/var/lib/printer-uplink"),
      ("/etc/printer-uplink/env", true, "/var/lib/printer-uplink"),
      ("/etc/printer-uplink/.yaml", true, "/var/lib/printer-uplink"),
      ("/home/pi/voron.yaml", true, "/var/lib/printer-uplink"),
    ])
  func instance(path: String, systemIsWritable: Bool, expected: String) throws {
    let place = try StateDirectory.location(
      configured: nil, environment: ["HOME": "/h"], configurationPath: path,
      canUse: { _ in systemIsWritable })
    #expect(place == expected)
    let given = try StateDirectory.location(
      configured: nil, environment: ["STATE_DIRECTORY": "/s"], configurationPath: path)
    #expect(given == "/s", "the service manager knows better")
  }

  @Test("Without any place it says what to set")
  func nowhere() {
    #expect(throws: StateFailure.self) {
      try StateDirectory.location(configured: nil, environment: [:], canUse: { _ in false })
    }
  }

  @Test("A new folder is 0700, and one of ours is closed again")
  func mode() throws {
    try withFolder { folder in
      let path = folder + "/a/b"
      let state = try StateDirectory(opening: path + "/", configurationPath: "/nowhere")
      #expect(state.path == path)
      #expect(try Files.information(path)?.mode == 0o700)
      try Files.setMode(path, 0o755)
      _ = try StateDirectory(opening: path, configurationPath: "/nowhere")
      #expect(try Files.information(path)?.mode == 0o700)
    }
  }

  @Test("A folder that others use is left as it is")
  func sharedFolder() throws {
    try withFolder { folder in
      try Files.setMode(folder, 0o755)
      try Files.replace(folder + "/other", with: [1])
      _ = try StateDirectory(opening: folder, configurationPath: "/nowhere")
      #expect(try Files.information(folder)?.mode == 0o755)
    }
  }

  @Test(
    "A folder that Moonraker hands out is refused and not made",
    arguments: ["printer_data/config", "printer_data/config/deep/er", "printer_2_data/config/x"])
  func configurationFolder(below: String) throws {
    try withFolder { folder in
      let path = "\(folder)/\(below)"
      let failure = #expect(throws: StateFailure.self) {
        try StateDirectory(opening: path, configurationPath: "/nowhere")
      }
      #expect(failure?.isConfiguration == true)
      let found = try Files.information(path)
      #expect(found == nil)
    }
  }

  @Test("A link into such a folder is refused too")
  func linkToConfigurationFolder() throws {
    try withFolder { folder in
      try Files.makeFolder(folder + "/printer_data/config")
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/state", withDestinationPath: folder + "/printer_data/config")
      #expect(throws: StateFailure.self) {
        try StateDirectory(opening: folder + "/state/x", configurationPath: "/nowhere")
      }
    }
  }

  @Test("A file in its place is refused")
  func fileInPlace() throws {
    try withFolder { folder in
      try Files.replace(folder + "/state", with: [])
      #expect(throws: StateFailure.self) {
        try StateDirectory(opening: folder + "/state", configurationPath: "/nowhere")
      }
    }
  }

  @Test("A second daemon is refused with the first one's pid, until that one is gone")
  func lock() throws {
    try withFolder { folder in
      let state = try StateDirectory(opening: folder, configurationPath: "/nowhere")
      var first: InstanceLock? = try state.lock()
      let failure = #expect(throws: StateFailure.self) { try state.lock() }
      #expect(
        failure?.description
          == "another printer-uplink (pid \(getpid())) uses \(folder); stop it or give this one another state_directory"
      )
      withExtendedLifetime(first) {}
      first = nil
      _ = try state.lock()
    }
  }

  @Test("What root writes belongs to the folder's owner", .enabled(if: Files.isRoot))
  func rootLeavesNothingOfItsOwn() throws {
    try withFolder { folder in
      try Files.replace(folder + "/printer-uplink.yaml", with: [])
      try Files.setOwner(folder + "/printer-uplink.yaml", owner: 4_242, group: 4_243)
      let state = try StateDirectory(
        opening: folder + "/state", configurationPath: folder + "/printer-uplink.yaml")
      _ = try state.lock()
      try state.makeFolder("identities")
      try state.replace("identities/a.json", with: [1])
      for path in ["", "/daemon.lock", "/identities", "/identities/a.json"] {
        let information = try #require(try Files.information(folder + "/state" + path))
        #expect(information.owner == 4_242 && information.group == 4_243, "\(path)")
      }
    }
  }
}

@Suite("What root leaves alone", .enabled(if: Files.isRoot)) struct StatePlantedLinkTests {
  /// A state folder of somebody else, with a link to a file and one to a folder of root's.
  private func planted(_ body: (_ state: StateDirectory, _ victim: String) throws -> Void) throws {
    try withFolder { folder in
      try Files.replace(folder + "/victim", with: [7])
      try Files.makeFolder(folder + "/treasure")
      try Files.makeFolder(folder + "/state")
      let manager = FileManager.default
      for (name, target) in [
        ("daemon.lock", "victim"), ("staging", "treasure"), ("u.log", "victim"),
      ] {
        try manager.createSymbolicLink(
          atPath: "\(folder)/state/\(name)", withDestinationPath: "\(folder)/\(target)")
      }
      try Files.setOwner(folder + "/state", owner: 4_242, group: 4_243)
      try body(
        try StateDirectory(opening: folder + "/state", configurationPath: "/nowhere"),
        folder + "/victim")
      let victim = try #require(try Files.information(folder + "/victim"))
      #expect(victim.owner == 0 && victim.size == 1)
      #expect(try Files.information(folder + "/treasure")?.owner == 0)
    }
  }

  @Test("The lock is taken, and what its file leads to is neither written nor given away")
  func lock() throws {
    try planted { state, _ in _ = try state.lock() }
  }

  @Test("A folder that is a link is refused")
  func folders() throws {
    try planted { state, _ in
      #expect(throws: PlatformError.self) { try state.makeFolder("staging") }
      #expect(throws: PlatformError.self) { try state.replace("staging/x", with: []) }
    }
  }

  @Test("A lock that is only looked at is not signed")
  func unsigned() throws {
    try withFolder { folder in
      let state = try StateDirectory(opening: folder + "/state", configurationPath: "/nowhere")
      _ = try state.lock(isSigned: false)
      let found = try Files.information(folder + "/state/daemon.lock")
      #expect(found == nil)
    }
  }

  @Test("The first owner on the way to a file is who decides what stands there")
  func wayTo() throws {
    try planted { state, victim in
      #expect(Files.firstOwner(onTheWayTo: victim) == nil)
      let owner = Credentials.Owner(user: 4_242, group: 4_243)
      #expect(Files.firstOwner(onTheWayTo: state.path + "/u.log") == owner)
      #expect(Files.isLink(state.path + "/u.log") && !Files.isLink(victim))
    }
  }
}

/// Runs `body` with a fresh folder that is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = try freshFolder()
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Runs `body` with a fresh folder that is removed afterwards.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = try freshFolder()
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

private func freshFolder() throws -> String {
  let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    .appendingPathComponent("uplink-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(
    atPath: folder, withIntermediateDirectories: true,
    attributes: [.posixPermissions: 0o700])
  return folder
}
