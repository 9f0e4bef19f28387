"""What a person does at a running daemon: bed, read-only, audit, explain, import; who may do so; what is never shown."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import PrintDockCloud, Rig, die_with_parent, wait_until
from scripted_cloud import ScriptedCloud

from commanding import (
    failed,
    obey_printdock,
    obey_script,
    outcome_is,
    printdock_entry,
    settle,
    start_job,
    succeeded,
    wait_until_obeyed,
    write_backends,
)
from observe import status_of


def command(rig: Rig, *arguments: str) -> subprocess.CompletedProcess[str]:
    return rig.daemon.command(*arguments, "--config", str(rig.daemon.config))


def bed_is_clear(rig: Rig) -> bool:
    return json.loads(rig.daemon.get("/api/status")[1])["commands"]["bed"]["is_clear"]


def post(
    rig: Rig, path: str, body: Any = None, headers: dict[str, str] | None = None, raw: bytes | None = None
) -> tuple[int, str]:
    """A POST to the page's port; the usual JSON unless said otherwise."""
    connection = http.client.HTTPConnection("127.0.0.1", rig.daemon.port, timeout=5)
    data = json.dumps({} if body is None else body).encode() if raw is None else raw
    fields = {"Content-Type": "application/json"} | (headers or {})
    try:
        connection.putrequest("POST", path, skip_host="Host" in fields)
        for name, value in fields.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the control socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


@pytest.fixture
def script(rig: Rig) -> ScriptedCloud:
    return obey_script(rig)[0]


# The bed and read-only


def test_the_bed_is_cleared_by_command_by_the_page_and_by_the_socket(script: ScriptedCloud, rig: Rig) -> None:
    def occupy() -> None:
        start_job(rig, "tower.gcode")
        rig.moonraker.call("printer.print.cancel")
        rig.printer.wait_for_print_state("cancelled")
        wait_until(lambda: not bed_is_clear(rig), 5, "an occupied bed")

    assert not bed_is_clear(rig)
    assert command(rig, "bed-cleared").returncode == 0
    assert bed_is_clear(rig)
    occupy()
    assert post(rig, "/api/bed-cleared")[0] == 200
    assert bed_is_clear(rig)
    occupy()
    connection = UnixConnection(rig.daemon.state / "control.sock")
    connection.request("POST", "/api/bed-cleared", b"{}", {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    assert bed_is_clear(rig)
    assert script.obey("start", file="tower.gcode", cause="itself")["status"] == "done"
    assert rig.printer.starts("tower.gcode") == 3
    time.sleep(0.6)  # two ticks of Klipper's
    assert post(rig, "/api/bed-cleared")[0] == 409, "a job runs"


def test_the_socket_is_the_users_own(script: ScriptedCloud, rig: Rig) -> None:
    information = (rig.daemon.state / "control.sock").stat()
    assert stat.S_ISSOCK(information.st_mode)
    assert information.st_mode & 0o077 == 0
    rig.daemon.kill()
    rig.daemon.start()
    script.wait_for_contact()
    assert command(rig, "bed-cleared").returncode == 0, "a socket that a dead daemon left is in the way"


def test_the_runtime_directory_has_the_socket_where_there_is_one(rig: Rig) -> None:
    folder = rig.folder / "runtime"
    folder.mkdir(mode=0o700)
    rig.daemon.variables["RUNTIME_DIRECTORY"] = str(folder)
    obey_script(rig)
    assert stat.S_ISSOCK((folder / "control.sock").stat().st_mode)
    assert command(rig, "bed-cleared").returncode == 0


def test_without_a_daemon_the_commands_say_so(rig: Rig) -> None:
    write_backends(rig, printdock_entry(rig))
    for words in (["bed-cleared"], ["read-only", "on"], ["status"]):
        result = command(rig, *words)
        assert result.returncode == 1
        assert "daemon" in result.stderr


def test_read_only_stops_all_but_reports_and_emergency_stop_and_is_kept(script: ScriptedCloud, rig: Rig) -> None:
    assert command(rig, "read-only", "on").returncode == 0
    for _ in range(2):
        for order in ({"do": "home"}, {"do": "start", "file": "tower.gcode"}, {"do": "pause"}, {"do": "cancel"}):
            outcome_is(script.outcome(script.orders([order])[0]), "refused", "read_only")
        rig.daemon.kill()
        rig.daemon.start()
        script.wait_for_contact()
    assert rig.printer.requests() == []
    assert script.obey("list_files")["status"] == "done"
    outcome_is(script.obey("emergency_stop"), "done", "ok")
    assert len(rig.printer.journal("emergency_stop")) == 1
    rig.printer.restart()
    assert command(rig, "read-only", "off").returncode == 0
    wait_until_obeyed(script)
    outcome_is(script.obey("home", axes=["X"]), "done", "ok")


# How things stand


def test_what_a_reload_widens_is_shown_until_a_person_has_seen_it(rig: Rig) -> None:
    def status() -> dict[str, Any]:
        return json.loads(command(rig, "status", "--json").stdout)

    token = rig.folder / "token"
    script = obey_script(rig, permissions="print")[0]
    outcome_is(script.obey("restart"), "refused", "not_permitted")
    shown = command(rig, "status")
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^scripted +scripted +online .* print ", shown.stdout, re.MULTILINE), shown.stdout
    assert "Test printer  idle" in shown.stdout
    assert status()["widened"] == []
    assert command(rig, "status", "--token").returncode == 1

    document = rig.configuration() | {"backends": [script.entry(permissions="full")]}
    document["control"]["token_file"] = str(token)
    rig.daemon.change(document)
    wait_until(lambda: status()["widened"], 10, "a notice of the wider permissions")
    # No look at the page waits for the disk.
    wait_until(lambda: list(rig.daemon.state.rglob("widenings.json")), 5, "the notice on the disk")
    rig.daemon.restart()
    script.wait_for_contact()
    notice = status()["widened"][-1]
    assert notice["text"] == "scripted: permissions was print, is full"
    assert notice["text"] in command(rig, "status").stdout
    assert notice["text"] in rig.daemon.get("/plain")[1]
    assert notice["text"] in command(rig, "audit").stdout

    seen = {"through": notice["number"]}
    assert post(rig, "/api/widenings-seen", seen, {"X-Forwarded-For": "192.0.2.7"})[0] == 401
    assert post(rig, "/api/widenings-seen", seen, {"Origin": "http://evil.example"})[0] == 403
    assert status()["widened"]
    shown = command(rig, "status", "--token")
    assert shown.stdout == token.read_text()
    bearer = {"X-Forwarded-For": "192.0.2.7", "Authorization": f"Bearer {shown.stdout.strip()}"}
    assert post(rig, "/api/widenings-seen", seen, bearer)[0] == 200
    assert status()["widened"] == []
    rig.daemon.restart()
    script.wait_for_contact()
    assert status()["widened"] == []
    assert "widenings_seen" in command(rig, "audit").stdout


# Who may


STRANGERS: list[tuple[str, dict[str, str]]] = [
    ("another site", {"Origin": "http://evil.example"}),
    ("another port", {"Origin": "http://127.0.0.1:1"}),
    ("no site", {"Origin": "null"}),
    ("cross-site", {"Sec-Fetch-Site": "cross-site"}),
    ("a name of DNS rebinding", {"Host": "evil.example"}),
    ("a form", {"Content-Type": "application/x-www-form-urlencoded"}),
    ("plain text", {"Content-Type": "text/plain"}),
    ("through a proxy", {"X-Forwarded-For": "192.0.2.7"}),
    ("through a proxy's other field", {"X-Real-IP": "192.0.2.7"}),
    ("through a new proxy", {"Forwarded": "for=192.0.2.7"}),
]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Rig]:
    with Rig() as rig:
        obey_script(rig)
        yield rig


@pytest.mark.parametrize(("who", "headers"), STRANGERS)
def test_a_stranger_clears_no_bed(guarded: Rig, who: str, headers: dict[str, str]) -> None:
    for path, body in (("/api/bed-cleared", {}), ("/api/read-only", {"on": True})):
        assert post(guarded, path, body, headers)[0] in (400, 401, 403, 415, 421), who
    document = json.loads(guarded.daemon.get("/api/status")[1])["commands"]
    assert not document["bed"]["is_clear"]
    assert not document["read_only"]["is_on"]


@pytest.mark.parametrize("path", ["/api/bed-cleared", "/api/read-only"])
def test_looking_changes_nothing(guarded: Rig, path: str) -> None:
    assert guarded.daemon.get(path)[0] == 405
    assert not bed_is_clear(guarded)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"on": 1}', b'{"clear": true}', b"\xff", b"{}" + b" " * 2_000_000])
def test_bad_bodies_change_nothing(guarded: Rig, raw: bytes) -> None:
    for path in ("/api/bed-cleared", "/api/read-only"):
        try:
            status = post(guarded, path, raw=raw)[0]
        except OSError:
            continue  # cut off: too large
        assert status in (400, 413)
    document = json.loads(guarded.daemon.get("/api/status")[1])["commands"]
    assert (document["bed"]["is_clear"], document["read_only"]["is_on"]) == (False, False)


# The page


def test_the_page_shows_the_last_commands_the_bed_and_what_is_owed(script: ScriptedCloud, rig: Rig) -> None:
    script.obey("home", axes=["X"])
    script.obey("pause")
    script.is_away = True
    rig.printer.gcode("G28")
    document = json.loads(rig.daemon.get("/api/status")[1])["commands"]
    last = [(entry["action"], entry["status"], entry["reason"]) for entry in document["last"]]
    assert last[:2] == [("pause", "refused", "wrong_state"), ("home", "done", "ok")]
    page = rig.daemon.get("/plain")[1]
    assert "pause" in page
    assert "bed" in page.lower()


# The audit


def test_the_audit_has_one_record_of_each_command_and_no_parameters(script: ScriptedCloud, rig: Rig) -> None:
    script.obey("home", axes=["X"])
    script.obey("gcode", script="M117 canary-of-the-script")
    script.obey("pause")
    script.obey("list_files")
    command(rig, "bed-cleared")
    path = rig.daemon.state / "audit.jsonl"
    wait_until(lambda: len(path.read_text().splitlines()) >= 5, 5, "five records")
    assert path.stat().st_mode & 0o077 == 0
    records = [json.loads(line) for line in path.read_text().splitlines()]
    found = [(record["backend"], record["action"], record["status"]) for record in records]
    assert found[:4] == [
        ("scripted", "home", "done"),
        ("scripted", "gcode", "done"),
        ("scripted", "pause", "refused"),
        ("scripted", "list_files", "done"),
    ]
    assert len({record["digest"] for record in records[:4]}) == 4
    assert "canary-of-the-script" not in path.read_text()
    shown = command(rig, "audit")
    assert shown.returncode == 0
    assert len([line for line in shown.stdout.splitlines() if "scripted" in line]) >= 4


def test_the_audit_is_followed(script: ScriptedCloud, rig: Rig) -> None:
    follower = subprocess.Popen(
        [str(rig.binary), "audit", "--follow", "--config", str(rig.daemon.config)],
        stdout=subprocess.PIPE,
        text=True,
        env=rig.daemon.environment(),
        preexec_fn=die_with_parent,
    )
    try:
        time.sleep(1)
        script.obey("home", axes=["X"])
        assert follower.stdout is not None
        seen = ""
        while "home" not in seen:
            line = follower.stdout.readline()
            assert line, "it ended"
            seen += line
    finally:
        follower.kill()
        follower.wait()


# explain


def named_fields(text: str) -> dict[str, list[str]]:
    """The fields that `explain` lists, by message."""
    part = text.split("What leaves the house:")[1].split("What your macros say")[0]
    found: dict[str, list[str]] = {}
    message = ""
    for line in part.splitlines():
        if re.fullmatch(r"  \S.*", line):
            message = line.strip()
        elif re.match(r"    \S", line) and message:
            found.setdefault(message, []).append(line.split()[0])
    return found


def leaves(value: Any, path: str = "") -> set[str]:
    """The paths of a document's leaves: `a.b`, `a[].b`."""
    if isinstance(value, dict) and value:
        return {leaf for key, item in value.items() for leaf in leaves(item, f"{path}.{key}" if path else key)}
    if isinstance(value, list) and value and isinstance(value[0], dict | list):
        return {leaf for item in value for leaf in leaves(item, f"{path}[]")}
    return {path}


def covers(pattern: str, leaf: str) -> bool:
    """Whether a listed field stands for a leaf: `*` is every key below."""
    expression = re.escape(pattern).replace(r"\*", ".+")
    return re.fullmatch(expression + r"(\[\])?(\..+)?" if pattern.endswith("*") else expression, leaf) is not None


def test_explain_lists_every_field_that_is_sent(rig: Rig) -> None:
    """A whole print by command, in shortened time, with a backup and refused commands beside it."""
    (rig.moonraker.data / "config" / "printer.cfg").write_text("[printer]\n")
    cloud = obey_printdock(rig, permissions="full", printer_data_root=str(rig.moonraker.data))
    backup = {"backup_id": "b", "presigned_url": cloud.presigned("b"), "include": {"config": True}}
    succeeded(cloud.carry_out("create_backup", params=backup))
    succeeded(cloud.carry_out("upload_file", filename="x.gcode", content="RzI4Cg=="))
    succeeded(cloud.carry_out("delete_file", filename="x.gcode"))
    succeeded(cloud.carry_out("homing", axes=["X"]))
    succeeded(cloud.carry_out("start_print", filename="tower.gcode"))
    failed(cloud.carry_out("homing", printer_id=999))
    failed(cloud.carry_out("unknown_thing"))
    rig.printer.wait_for_print_state("complete", 60)
    cloud.wait_for("snapshots", where=lambda record: status_of(record)["print_stats"]["state"] == "complete")
    succeeded(cloud.carry_out("sync_files"))
    succeeded(cloud.carry_out("import_history"))
    result = command(rig, "explain", "printdock")
    assert result.returncode == 0
    listed = named_fields(result.stdout)
    messages = {"register": "register", "heartbeat": "heartbeat", "snapshots": "snapshot", "complete": "completion"}
    for endpoint, message in messages.items():
        sent = {leaf for record in cloud.records(endpoint) for leaf in leaves(record["body"])}
        assert sent
        hidden = {leaf for leaf in sent if not any(covers(pattern, leaf) for pattern in listed[message])}
        assert hidden == set(), f"{message}: sent, and not listed"
    status = {leaf for record in cloud.records("snapshots") for leaf in leaves(record["body"])}
    for pattern in listed["snapshot"]:
        assert any(covers(pattern, leaf) for leaf in status), f"{pattern} is listed and never sent"
    others = {record["endpoint"] for record in cloud.records()} - set(messages) - {"commands", "webcam_requests"}
    assert others <= {"storage", "upload"}
    for action in ("pause", "create_backup", "upload_file"):
        assert action in result.stdout
    assert re.search(r"(bytes|kB|MB)", result.stdout.split("What its cloud")[0]), "no bytes per hour"


# import


def original(cloud: PrintDockCloud, rig: Rig) -> Path:
    """The original connector's file after it has paired."""
    path = rig.folder / "config.json"
    document = {
        "cloud_url": cloud.url,
        "connector_id": "46",
        "connector_secret": "c_dummy_secret_for_tests",
        "site_name": "Test Lab",
        "poll_commands_seconds": 3,
        "push_snapshots_seconds": 30,
        "heartbeat_seconds": 10,
        "state_dir": "/var/lib/printer-connector",
        "moonraker": [{"printer_id": 262, "name": "Voron", "base_url": rig.moonraker.url, "ui_port": 4408}],
    }
    path.write_text(json.dumps(document, indent=2))
    return path


def test_the_originals_file_is_imported_without_pairing_again(rig: Rig) -> None:
    rig.start_printer()
    cloud = rig.printdock
    cloud.start()
    cloud.set(registered=True)
    write_backends(rig)
    rig.daemon.write(rig.daemon.config.read_text().replace("backends: []", "backends:"))
    result = command(rig, "import", str(original(cloud, rig)), "--write")
    if result.returncode == 78:  # a file without backends may be one with mistakes
        write_backends(rig, printdock_entry(rig, name="other", enabled=False))
        result = command(rig, "import", str(original(cloud, rig)), "--write")
    assert result.returncode == 0, result.stderr
    text = rig.daemon.config.read_text()
    assert "c_dummy_secret_for_tests" not in text + result.stdout + result.stderr
    assert "4408" in text
    begin = time.monotonic()
    rig.daemon.start()
    beat = cloud.wait_for("heartbeat", after=begin)
    assert beat["status"] == 200
    assert beat["body"]["printers"][0]["printer_id"] == 262
    assert cloud.records("register") == []
    settle(cloud)
    succeeded(cloud.carry_out("homing", axes=["X"]))


def test_an_import_beside_the_running_original_leaves_the_entry_off(rig: Rig) -> None:
    cloud = rig.printdock
    write_backends(rig, printdock_entry(rig, name="other", enabled=False))
    pretender = rig.folder / "printer-connector"
    pretender.write_bytes(Path("/bin/sleep").read_bytes())
    pretender.chmod(0o755)
    running = subprocess.Popen([str(pretender), "60"], preexec_fn=die_with_parent)
    try:
        result = command(rig, "import", str(original(cloud, rig)), "--write")
    finally:
        running.kill()
        running.wait()
    assert result.returncode == 0, result.stderr
    assert "enabled: false" in rig.daemon.config.read_text().split("printdock")[-1]
    assert "printer-connector" in result.stdout + result.stderr


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"moonraker": []}', '{"moonraker": [{}]}', "\x00" * 100])
def test_a_file_that_cannot_be_imported_changes_nothing(rig: Rig, text: str) -> None:
    write_backends(rig, printdock_entry(rig, enabled=False))
    before = rig.daemon.config.read_text()
    path = rig.folder / "config.json"
    path.write_text(text)
    result = command(rig, "import", str(path), "--write")
    assert result.returncode in (1, 78)  # 2 would be a command that does not exist
    assert result.stderr
    assert rig.daemon.config.read_text() == before


def test_no_import_while_a_daemon_runs(rig: Rig) -> None:
    cloud = obey_printdock(rig)
    result = command(rig, "import", str(original(cloud, rig)), "--write")
    assert result.returncode == 1
    assert str(rig.daemon.process.pid) in result.stderr


# Secrets

SECRET = "c_canary_of_the_secret_7f31"
TOKEN = "PAIR_canary_of_the_token_7f31"
REACH_CODE = "PAIR-0001"
ADDRESS_QUERY = "canary_of_the_address_7f31"


def test_secrets_are_seen_nowhere_but_at_the_cloud_and_in_the_state(rig: Rig) -> None:
    """Token, secret, API key and the query of a presigned address, at the most talkative level."""
    rig.printer.start(speed=20)
    rig.moonraker.start(trusted=False)
    rig.moonraker.wait_for_klippy()
    key = rig.moonraker.api_key()
    (rig.moonraker.gcodes / "tower.gcode").write_text("G4 P10\n")
    (rig.folder / "key").write_text(key)
    (rig.folder / "key").chmod(0o600)
    cloud = rig.printdock
    cloud.start("--heartbeat", "2", "--snapshots", "3", "--commands", "1", "--token", TOKEN)
    cloud.set(secret=SECRET)
    entry = printdock_entry(rig, pairing_token=TOKEN, permissions="full", printer_data_root=str(rig.moonraker.data))
    document = rig.configuration(api_key_file=str(rig.folder / "key")) | {"backends": [entry]}
    document["log"] = {"level": "trace", "file": str(rig.folder / "uplink.log")}
    rig.daemon.write(document)
    cloud.fault("register", "status", status=503, body={"error": f"{TOKEN}? Not now"})
    rig.start_daemon()
    settle(cloud)
    seen: list[str] = []
    cmdlines: list[str] = []

    def look() -> None:
        cmdlines.append(Path(f"/proc/{rig.daemon.process.pid}/cmdline").read_text())
        for path in ("/", "/plain", "/api/status", "/api/commands", "/metrics", "/health", "/app.js"):
            seen.append(rig.daemon.get(path)[1])

    look()
    for name in ("https://192.168.7.7/x", "http://localhost:1/x"):
        address = f"{name}?signature={ADDRESS_QUERY}"
        params = {"backup_id": "b", "presigned_url": address, "include": {"config": True}}
        failed(cloud.carry_out("create_backup", params=params))
    cloud.fault("storage", "status", status=403, body={"error": "no"})
    params = {"backup_id": "b", "presigned_url": cloud.presigned("b"), "include": {"config": True}}
    cloud.carry_out("create_backup", params=params)
    signature = cloud.presigned("b").split("signature=")[1]
    cloud.carry_out("homing", axes=["X"])
    cloud.fault("*", "status", status=500, count=5, body={"error": f"Bearer {SECRET}: later"})
    time.sleep(4)
    assert "later" in rig.daemon.log()
    cloud.fault("*", "status", status=401, count=3)
    time.sleep(4)
    look()
    for words in (["audit"], ["explain", "printdock"], ["validate"], ["backends", "printdock"]):
        result = command(rig, *words)
        seen += [result.stdout, result.stderr]
    rig.moonraker.restart()
    time.sleep(3)
    rig.daemon.process.signal(signal.SIGABRT)  # a crash: what is written then counts as well
    time.sleep(3)
    rig.daemon.kill()
    seen += [rig.daemon.log(), (rig.folder / "uplink.log").read_text()]
    seen.append((rig.daemon.state / "audit.jsonl").read_text())
    everything = "\n".join([*seen, *cmdlines])
    for canary in (SECRET, TOKEN, key, ADDRESS_QUERY, signature):
        assert canary not in everything, (
            f"{canary} at {everything.index(canary)}: …"
            + everything[max(0, everything.index(canary) - 200) : everything.index(canary) + 60]
        )
    assert TOKEN not in rig.daemon.config.read_text(), "the spent token still stands in the file"
    readable = [path for path in rig.daemon.state.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert readable == []


# Switches and pairings


def backend(rig: Rig, name: str) -> dict[str, Any]:
    document = json.loads(command(rig, "status", "--json").stdout)
    return next(entry for entry in document["backends"] if entry["name"] == name)


def test_an_entry_is_switched_off_and_on_over_a_restart_and_the_file_stays(script: ScriptedCloud, rig: Rig) -> None:
    text = rig.daemon.config.read_text()
    result = command(rig, "disable", "scripted")
    assert result.returncode == 0, result.stderr
    assert backend(rig, "scripted")["state"] == "disabled"
    rig.daemon.restart()
    wait_until(lambda: command(rig, "status").returncode == 0, 10, "the daemon")
    found = backend(rig, "scripted")
    assert (found["state"], found["is_enabled"], found["is_enabled_in_file"]) == ("disabled", False, True)
    assert "switched off by a person" in command(rig, "status").stdout
    assert command(rig, "disable", "scripted").stdout.strip().endswith("already.")
    assert command(rig, "enable", "scripted").returncode == 0
    # By then the poll that the end cut off takes no order any more.
    wait_until(lambda: backend(rig, "scripted")["state"] == "online", 10, "the entry on")
    wait_until_obeyed(script)
    assert rig.daemon.config.read_text() == text
    shown = command(rig, "audit").stdout
    assert "scripted was switched off by the command line" in shown
    assert "scripted was switched on by the command line" in shown
    assert status_widenings(rig) == []
    result = command(rig, "enable", "scriptd")
    assert result.returncode == 1
    assert "did you mean 'scripted'" in result.stderr


def status_widenings(rig: Rig) -> list[Any]:
    return json.loads(command(rig, "status", "--json").stdout)["widened"]


def test_what_the_file_says_counts_again_once_somebody_edits_it(script: ScriptedCloud, rig: Rig) -> None:
    document = rig.configuration() | {"backends": [script.entry(permissions="full", enabled=False)]}
    rig.daemon.change(document)
    wait_until(lambda: backend(rig, "scripted")["state"] == "disabled", 10, "the entry off")
    assert command(rig, "enable", "scripted").returncode == 0
    wait_until(lambda: backend(rig, "scripted")["state"] == "online", 10, "the entry on")
    assert not backend(rig, "scripted")["is_enabled_in_file"]
    rig.daemon.write(rig.configuration() | {"backends": [script.entry(permissions="full", enabled=True)]})
    assert command(rig, "reload").returncode == 0
    assert backend(rig, "scripted")["is_enabled_in_file"]
    assert "switched on by a person" not in command(rig, "status").stdout


def test_a_reload_by_command_says_what_is_wrong_and_changes_nothing(script: ScriptedCloud, rig: Rig) -> None:
    text = rig.daemon.config.read_text()
    rig.daemon.write(text + "nonsense: 1\n")
    result = command(rig, "reload")
    assert result.returncode == 1
    assert "nonsense" in result.stderr
    rig.daemon.write(text)
    assert command(rig, "reload").returncode == 0
    wait_until_obeyed(script)


def test_an_entry_is_paired_forgotten_and_paired_again_without_touching_the_file(rig: Rig) -> None:
    rig.start_printer()
    cloud = rig.printdock
    cloud.start("--heartbeat", "2", "--snapshots", "3", "--token", "PAIR_first")
    entry = printdock_entry(rig)
    entry.pop("pairing_token", None)
    write_backends(rig, entry)
    text = rig.daemon.config.read_text()
    rig.daemon.start()
    name = entry.get("name", "printdock")
    wait_until(lambda: command(rig, "status").returncode == 0, 10, "the daemon")
    wait_until(lambda: backend(rig, name)["state"] == "parked", 10, "an entry that is not paired")
    result = command(rig, "pair", name, "PAIR_wrong")
    assert result.returncode == 1, "the cloud does not take it"
    result = rig.daemon.command("pair", name, "--config", str(rig.daemon.config), given="PAIR_first\n")
    assert result.returncode == 0, result.stderr
    assert "online" in result.stdout
    cloud.wait_for("heartbeat")
    rig.daemon.restart()
    cloud.wait_for("heartbeat", after=time.monotonic())
    assert len([record for record in cloud.records("register") if record["status"] == 200]) == 1
    assert command(rig, "unpair", name).returncode == 0
    assert backend(rig, name)["state"] == "disabled"
    assert not list((rig.daemon.state / "identity").glob("*")) if (rig.daemon.state / "identity").exists() else True
    assert rig.daemon.config.read_text() == text
    kept = [path.read_text(errors="replace") for path in rig.daemon.state.rglob("*.json")]
    assert not any("PAIR_first" in content for content in kept), "a spent code is kept"
    for path in rig.daemon.state.rglob("*"):
        assert path.is_dir() or path.stat().st_mode & 0o077 == 0 or path.is_socket()
    result = command(rig, "pair", "nobody", "X")
    assert result.returncode == 1


@pytest.mark.parametrize("path", ["/api/enabled", "/api/reload", "/api/pair", "/api/unpair"])
def test_a_stranger_switches_nothing(guarded: Rig, path: str) -> None:
    for who, headers in STRANGERS:
        for body in ({}, {"backend": "scripted", "on": False}, {"backend": "scripted"}):
            assert post(guarded, path, body, headers)[0] in (400, 401, 403, 415, 421), who
    assert json.loads(guarded.daemon.get("/api/status")[1])["backends"][0]["state"] != "disabled"
