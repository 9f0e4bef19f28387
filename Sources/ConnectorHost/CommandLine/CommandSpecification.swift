internal import ConnectorKit

/// A command with the options that it takes: parsing and help come from here.
struct CommandSpecification {
  /// An option.
  struct Option {
    /// The long name without dashes.
    var name: String
    /// The letter of its short form.
    var letter: Character?
    /// What stands for its value in the help; nil where it takes none.
    var value: String?
    /// What it does.
    var summary: String
  }
  /// The name.
  var name: String
  /// What may follow it, for the help: `[FILE]`.
  var operand: String?
  /// One line: what it does.
  var summary: String
  /// What a person should know besides.
  var details: String
  /// Its own options.
  var options: [Option]

  /// How many words may follow it at most.
  var operandCount: Int { operand?.split(separator: " ").count ?? 0 }

  /// The options of every command.
  static let common = [
    Option(
      name: "config", letter: "c", value: "FILE",
      summary: "the configuration file (default: see printer-uplink --help)"),
    Option(name: "help", letter: "h", value: nil, summary: "show this help"),
    Option(name: "version", letter: nil, value: nil, summary: "show the version"),
  ]

  /// All commands, in the order of the help.
  static let all = [
    CommandSpecification(
      name: "run", operand: nil, summary: "run the daemon",
      details: """
        Runs until SIGTERM or Ctrl-C. SIGHUP reloads the file: only what changed restarts, and a file
        with an error changes nothing.
        """,
      options: [
        Option(
          name: "once", letter: nil, value: nil,
          summary: "one full round of every enabled backend, then the end; 1 if one failed"),
        Option(
          name: "log-level", letter: nil, value: "LEVEL",
          summary: "trace, debug, info, warning, error or critical; wins over the file"),
      ]),
    CommandSpecification(
      name: "validate", operand: "[FILE]", summary: "check a configuration file: the dry run",
      details: """
        Prints everything that is wrong, with its place and what to do, and what each backend would do.
        Touches no network and writes nothing.
        """,
      options: [
        Option(name: "json", letter: nil, value: nil, summary: "print it as JSON"),
        Option(name: "strict", letter: nil, value: nil, summary: "a warning fails too"),
      ]),
    CommandSpecification(
      name: "status", operand: nil, summary: "how the printer and the clouds stand",
      details: "Asks the running daemon.",
      options: [
        Option(name: "json", letter: nil, value: nil, summary: "print it as JSON"),
        Option(name: "watch", letter: "w", value: nil, summary: "go on, every two seconds"),
        Option(
          name: "token", letter: nil, value: nil,
          summary: "show the token for changes from elsewhere (control.token_file) instead"),
      ]),
    CommandSpecification(
      name: "doctor", operand: nil, summary: "find out what is wrong, and what to do about it",
      details: """
        Looks at the configuration, the state folder, the disk, the clock, the network, Moonraker, Klipper,
        the webcam and every cloud. The first cause comes first; what only follows from it is skipped.
        Beside a running daemon the clouds' accounts are as the daemon saw them last, else they are asked
        by a call that changes nothing. 1 if something is wrong.
        """,
      options: [
        Option(name: "json", letter: nil, value: nil, summary: "print it as JSON"),
        Option(
          name: "report", letter: nil, value: nil,
          summary:
            "write a report for somebody who helps, no secrets: findings, configuration and log"),
        Option(
          name: "output", letter: "o", value: "FILE",
          summary:
            "where the report goes, '-' to print it (printer-uplink-report-DATE.txt in this folder)"
        ),
      ]),
    CommandSpecification(
      name: "backends", operand: "[TYPE]",
      summary: "which connectors there are, and their settings",
      details: "With a type: each of its settings with values, default and what a change needs.",
      options: []),
    CommandSpecification(
      name: "explain", operand: "TYPE|NAME",
      summary: "what leaves the house, and what a cloud may do",
      details: """
        Every field that is sent, every command that the cloud may ask for, the permission that it takes,
        and, for an entry of the file, whether it is allowed.
        """,
      options: []),
    CommandSpecification(
      name: "audit", operand: nil, summary: "what the clouds wanted, and what came of it",
      details: "Reads the audit in the state directory; the daemon need not run.",
      options: [
        Option(name: "follow", letter: "f", value: nil, summary: "go on with what is added"),
        Option(name: "json", letter: nil, value: nil, summary: "one JSON object per line"),
      ]),
    CommandSpecification(
      name: "bed-cleared", operand: nil, summary: "say that the bed is empty",
      details: """
        What starts by itself waits for a person who says that the bed is empty. Tells the running daemon.
        """,
      options: []),
    CommandSpecification(
      name: "read-only", operand: "on|off", summary: "one switch for all clouds",
      details: """
        While it is on, the clouds may look and stop in an emergency, and nothing else. Tells the running
        daemon, which keeps it over a restart.
        """,
      options: []),
    CommandSpecification(
      name: "enable", operand: "NAME", summary: "switch an entry on",
      details: """
        Tells the running daemon, which keeps it over a restart. The file stays as it is, and counts again
        as soon as somebody changes 'enabled' there.
        """,
      options: []),
    CommandSpecification(
      name: "disable", operand: "NAME", summary: "switch an entry off",
      details: "As enable: the running daemon keeps it, the file stays as it is.", options: []),
    CommandSpecification(
      name: "pair", operand: "NAME [CODE]", summary: "pair an entry, or pair it again",
      details: """
        Gives the running daemon what the cloud shows for pairing, and waits for what becomes of it. Without
        CODE it is read from standard input, where no list of processes shows it. A code that stands in the
        file wins, and is changed there.
        """,
      options: []),
    CommandSpecification(
      name: "unpair", operand: "NAME", summary: "forget an entry's pairing, and switch it off",
      details: "Tells the running daemon. Remove the printer at the cloud as well.", options: []),
    CommandSpecification(
      name: "reload", operand: nil, summary: "read the configuration again",
      details: """
        Tells the running daemon. Only what changed restarts; a file with an error changes nothing, and is
        named.
        """,
      options: []),
    CommandSpecification(
      name: "import", operand: "FILE", summary: "take over the pairing of a cloud's own agent",
      details: """
        Makes an entry from its configuration (PrintDock's config.json). The secrets go to the state
        directory; the daemon must not run meanwhile. While that agent still runs here, the entry is
        disabled.
        """,
      options: [
        Option(
          name: "write", letter: nil, value: nil,
          summary: "append the entry to the configuration file, rather than print it")
      ]),
    CommandSpecification(
      name: "completions", operand: "SHELL",
      summary: "print completions for bash, zsh or fish, or the manual page",
      details: """
        bash:  printer-uplink completions bash > /usr/share/bash-completion/completions/printer-uplink
        zsh:   printer-uplink completions zsh > /usr/share/zsh/vendor-completions/_printer-uplink
        fish:  printer-uplink completions fish > ~/.config/fish/completions/printer-uplink.fish
        man:   printer-uplink completions man > /usr/share/man/man1/printer-uplink.1
        """,
      options: []),
    CommandSpecification(
      name: "schema", operand: nil, summary: "print a JSON schema of the file, for editors",
      details: "Draft 2020-12, made from the declarations that the loader itself uses.", options: []
    ),
    CommandSpecification(
      name: "version", operand: nil, summary: "show the version", details: "", options: []),
  ]

}

extension CommandSpecification {
  /// A command that a connector brings along, with the host's options for it.
  init(_ tool: ToolDeclaration) {
    let own = tool.options.map {
      Option(name: $0.name, letter: nil, value: $0.value, summary: $0.summary)
    }
    let entry = Option(
      name: "entry", letter: nil, value: "NAME",
      summary: "the entry of the file that it is about, where there are several")
    let output = Option(
      name: "output", letter: "o", value: "FOLDER",
      summary: "write the files below this folder, rather than print them")
    let install = Option(
      name: "install", letter: nil, value: nil,
      summary: "write the files to where the program on this computer reads them")
    self.init(
      name: tool.name, operand: nil, summary: tool.summary, details: tool.details,
      options: own + [entry, output] + (tool.installPlaces.isEmpty ? [] : [install]))
  }
}
