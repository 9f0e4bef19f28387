"""The doctor: induced faults, the right cause first; with and without a daemon; nothing secret in its report."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from harness import QuietServer, Rig, die_with_parent, free_port, wait_until

Document = dict[str, Any]


def doctor(rig: Rig, *options: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*prefix, str(rig.binary), "doctor", "--config", str(rig.daemon.config), *options]
    return subprocess.run(
        command,
        cwd=rig.daemon.folder,
        env=rig.daemon.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=die_with_parent,
        check=False,
    )


def diagnosis(rig: Rig, **options: Any) -> Document:
    result = doctor(rig, "--json", **options)
    assert result.stdout, result.stderr
    document = json.loads(result.stdout)
    assert result.returncode == (0 if document["ok"] else 1)
    return document


def causes(document: Document) -> list[str]:
    """The causes; a second agent that another test runs beside this one is seen as well, and left out."""
    return [cause for cause in document["causes"] if not cause.startswith("agent.")]


def check(document: Document, name: str) -> Document:
    return next(entry for entry in document["checks"] if entry["id"] == name)


@contextmanager
def web_server(answer: Callable[[BaseHTTPRequestHandler], None], port: int = 0) -> Iterator[int]:
    """A small web server that answers every GET by `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = QuietServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def plain(status: int = 404, **fields: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(status)
        for name, value in ({"Date": formatdate(usegmt=True)} | fields).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def reach_only(rig: Rig, relay: str, **entry: Any) -> Document:
    """A configuration with one cloud."""
    document = rig.configuration()
    document["backends"] = [{"type": "reach", "relay": relay, "pairing_code": "PAIR-0001"} | entry]
    rig.daemon.write(document)
    return document


@pytest.fixture(scope="module")
def host() -> Iterator[Rig]:
    """A printer behind Moonraker that is well; the tests disturb what lies around."""
    with Rig() as rig:
        rig.start_printer()
        yield rig


# All is well


def test_beside_a_daemon_and_without_it_a_good_house_is_found_in_order(daemon_rig: Rig) -> None:
    rig = daemon_rig
    wait_until(lambda: not causes(diagnosis(rig)), 20, "a good house")
    begin = time.monotonic()
    document = diagnosis(rig)
    assert time.monotonic() - begin < 5
    assert causes(document) == []
    assert check(document, "daemon")["text"].startswith("runs")
    assert check(document, "configuration")["state"] in ("ok", "warning")
    for name in ("state", "disk", "clock", "network", "dns", "moonraker", "klippy", "page"):
        assert check(document, name)["state"] == "ok", name
    for name in ("cloud.reach", "cloud.printdock", "cloud.reach.account", "cloud.printdock.account"):
        assert check(document, name)["state"] == "ok", name
    rig.daemon.kill()
    document = diagnosis(rig)
    assert causes(document) == [], document
    assert "does not run" in check(document, "daemon")["text"]
    assert "knows" in check(document, "cloud.printdock.account")["text"], "by the backend's own harmless call"
    assert check(document, "cloud.reach.account")["state"] == "ok"
    rig.daemon.start()
    rig.printdock.wait_for("heartbeat")


CANARIES = """first
saw PAIR_canary_of_the_report at https://x/?key=canary1
Authorization: Bearer canary2, and {"token": "canary3", "x": 1}
GET http://me:canary4@moonraker.example:7125/printer/info?token=canary5
the key of Moonraker is canary-of-a-file
stored: canary-stored-in-the-state
last line
"""


def with_canaries(rig: Rig) -> Document:
    """A configuration whose secrets stand in all the places where they may."""
    document = rig.configuration()
    document["backends"][1]["pairing_token"] = "PAIR_canary_of_the_report"
    key = rig.folder / "moonraker.key"
    key.write_text("canary-of-a-file\n")
    key.chmod(0o600)
    document["printer"]["api_key_file"] = str(key)
    document["network"] = {"proxy": "http://me:ca,nary-6@127.0.0.1:9"}
    rig.daemon.state.mkdir(exist_ok=True, mode=0o700)
    (rig.daemon.state / "identities").mkdir(exist_ok=True, mode=0o700)
    stored = {"schema": 1, "backend": "old", "identity": {"secret": "canary-stored-in-the-state"}}
    (rig.daemon.state / "identities" / "old.json").write_text(json.dumps(stored))
    return document


def assert_no_canary(text: str) -> None:
    for word in ("canary", "nary-6", "PAIR-0001"):
        assert word not in text, [line for line in text.splitlines() if word in line]


def test_a_report_is_a_file_of_the_owners_and_holds_no_secret(cloud_rig: Rig) -> None:
    rig = cloud_rig
    document = with_canaries(rig)
    document["log"] = {"level": "debug", "file": str(rig.folder / "uplink.log")}
    rig.daemon.write(document)
    (rig.folder / "uplink.log").write_text("".join(f"older {number}\n" for number in range(300)) + CANARIES)
    result = doctor(rig, "--report")
    assert result.returncode == 0, result.stderr
    (path,) = rig.daemon.folder.glob("printer-uplink-report-*.txt")
    assert path.name in result.stdout
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert_no_canary(text + result.stdout + result.stderr)
    for words in (
        "printer-uplink 0.",
        "== findings",
        "ok    ",
        "moonraker: http",
        "pairing_token: <removed>",
        "last line",
    ):
        assert words in text, text
    assert "saw <removed> at https://x/?<removed>" in text
    assert len(text[text.index("== log") :].splitlines()) == 202, "the last 200 lines, and where they come from"
    assert doctor(rig, "--report").returncode == 0
    assert len(list(rig.daemon.folder.glob("printer-uplink-report-*.txt"))) == 2, "the first one stays"
    result = doctor(rig, "--report", "--output", "-")
    assert "== findings" in result.stdout
    assert_no_canary(result.stdout + result.stderr)
    assert doctor(rig, "--report", "-o", str(path)).returncode == 1, "nothing is overwritten"
    assert doctor(rig, "-o", "x").returncode == 2


def test_a_report_of_a_file_with_mistakes_holds_no_secret_either(cloud_rig: Rig) -> None:
    rig = cloud_rig
    document = with_canaries(rig) | {"log": {"file": str(rig.folder / "uplink.log")}}
    document["backends"][0]["tokn"] = "canary-misspelled"
    document["nonsense"] = {"hidden": ["canary-in-a-list"]}
    rig.daemon.write(document)
    (rig.folder / "uplink.log").write_text(CANARIES + "canary-misspelled, canary-in-a-list\n")
    text = doctor(rig, "--report", "--output", "-").stdout
    assert_no_canary(text)
    assert "wrong Configuration" in text
    assert "last line" in text, "the log is found all the same"


JOURNAL = """#!/bin/sh
echo "$@" > "$0.arguments"
cat "$0.text"
[ -e "$0.slow" ] && sleep 60
exit 0
"""


def test_without_a_log_file_the_journal_is_asked_for_a_while(cloud_rig: Rig) -> None:
    rig = cloud_rig
    rig.daemon.write(with_canaries(rig))
    folder = rig.folder / "bin"
    folder.mkdir()
    program = folder / "journalctl"
    program.write_text(JOURNAL)
    program.chmod(0o755)
    (folder / "journalctl.text").write_text(CANARIES)
    rig.daemon.variables["PATH"] = f"{folder}:{os.environ['PATH']}"
    text = doctor(rig, "--report", "-o", "-").stdout
    assert_no_canary(text)
    assert "last line" in text
    arguments = (folder / "journalctl.arguments").read_text().split()
    assert arguments[:4] == ["--unit", "printer-uplink", "--lines", "200"]
    (folder / "journalctl.slow").touch()
    begin = time.monotonic()
    text = doctor(rig, "--report", "-o", "-").stdout
    assert time.monotonic() - begin < 25
    assert "journalctl --unit printer-uplink --lines 200" in text
    rig.daemon.variables["PATH"] = str(rig.folder / "nowhere")
    assert "journalctl --unit printer-uplink" in doctor(rig, "--report", "-o", "-").stdout


# The configuration and this host


def test_a_broken_file_is_the_one_cause(host: Rig) -> None:
    host.daemon.write("version: 1\nprintr: {}\nbackends: []\n")
    document = diagnosis(host)
    assert causes(document) == ["configuration"]
    assert "printr" in check(document, "configuration")["text"]


def test_a_secret_that_cannot_be_read_is_named_with_its_file(host: Rig) -> None:
    reach_only(host, "http://127.0.0.1:1", pairing_code_file=str(host.folder / "missing.code"))
    text = host.daemon.config.read_text().replace("  pairing_code: PAIR-0001\n", "")
    host.daemon.write(text)
    document = diagnosis(host)
    assert causes(document) == ["configuration"]
    assert "missing.code" in check(document, "configuration")["text"]


def test_a_full_disk_comes_first(host: Rig) -> None:
    state = host.folder / "small"
    state.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(state)], check=True)
    try:
        document = reach_only(host, "http://127.0.0.1:1")
        host.daemon.write(document | {"state_directory": str(state)})
        assert causes(diagnosis(host))[0] == "disk"
    finally:
        subprocess.run(["umount", str(state)], check=True)


def test_a_port_that_another_program_holds_is_named(host: Rig) -> None:
    with web_server(plain(), host.daemon.port), web_server(plain()) as port:
        reach_only(host, f"http://127.0.0.1:{port}")
        document = diagnosis(host)
    assert causes(document) == ["page"]
    assert f"process {os.getpid()}" in check(document, "page")["text"]


# The printer


def test_moonraker_away_at_the_wrong_port_or_with_the_wrong_key(rig: Rig) -> None:
    rig.printer.start()
    rig.moonraker.start(trusted=False)
    rig.moonraker.wait_for_klippy()
    (rig.folder / "key").write_text("0123456789abcdef0123456789abcdef")
    (rig.folder / "key").chmod(0o600)

    def with_printer(**printer: Any) -> Document:
        document = rig.configuration(**printer)
        document["backends"] = []
        rig.daemon.write(document)
        return diagnosis(rig)

    document = with_printer()
    assert causes(document) == ["moonraker"]
    assert "asks for an API key" in check(document, "moonraker")["text"]
    document = with_printer(api_key_file=str(rig.folder / "key"))
    assert causes(document) == ["moonraker"]
    assert "does not accept the API key" in check(document, "moonraker")["text"]
    (rig.folder / "key").write_text(rig.moonraker.api_key())
    assert causes(with_printer(api_key_file=str(rig.folder / "key"))) == []
    with web_server(plain()) as port:
        document = with_printer(moonraker=f"http://127.0.0.1:{port}")
    assert causes(document) == ["moonraker"]
    assert "is not Moonraker" in check(document, "moonraker")["text"]
    document = with_printer(moonraker=f"http://127.0.0.1:{free_port()}")
    assert causes(document) == ["moonraker"]
    assert "systemctl start moonraker" in check(document, "moonraker")["remedy"]
    assert check(document, "klippy")["because"] == "moonraker"
    assert check(document, "webcam")["because"] == "moonraker"


def test_klipper_in_error_is_told_in_its_own_words_over_the_unix_socket_too(rig: Rig) -> None:
    rig.start_printer()
    rig.printer.shut_down("MCU 'mcu' shutdown: Timer too close")
    for address in (rig.moonraker.url, f"unix:{rig.moonraker.unix_socket}"):
        document = rig.configuration(moonraker=address)
        document["backends"] = []
        rig.daemon.write(document)
        wait_until(lambda: causes(diagnosis(rig)) == ["klippy"], 10, "the shutdown")
        assert "Timer too close" in check(diagnosis(rig), "klippy")["text"]


def test_a_dead_camera_is_told_and_one_that_works_is_not(rig: Rig) -> None:
    camera = rig.add_camera()
    rig.start_printer(moonraker=camera.section())
    document = rig.configuration()
    document["backends"] = []
    rig.daemon.write(document)
    assert causes(diagnosis(rig)) == []
    assert "picture" in check(diagnosis(rig), "webcam")["text"]
    camera.close()
    assert causes(diagnosis(rig)) == ["webcam"]


# The clouds


def test_a_revoked_account_is_told_beside_the_daemon_and_without_it(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.printdock.fault("*", "status", status=401, count=1000)
    wait_until(lambda: "cloud.printdock.account" in causes(diagnosis(rig)), 30, "the refusal")
    assert causes(diagnosis(rig)) == ["cloud.printdock.account"]
    assert check(diagnosis(rig), "cloud.printdock.account")["remedy"]
    rig.daemon.kill()
    assert causes(diagnosis(rig)) == ["cloud.printdock.account"]
    rig.printdock.clear_faults()


def test_one_dead_cloud_costs_less_than_five_seconds(host: Rig) -> None:
    # TEST-NET-1: nobody answers, nobody refuses.
    reach_only(host, "https://192.0.2.1")
    begin = time.monotonic()
    document = diagnosis(host)
    assert time.monotonic() - begin < 5
    assert causes(document)[0] in ("cloud.reach", "network")
    assert check(document, "cloud.reach.account")["state"] == "skipped"


def test_a_proxy_that_is_away_explains_the_clouds_behind_it(host: Rig) -> None:
    document = reach_only(host, "https://relay.invalid")
    document["network"] = {"proxy": f"http://user:canary@127.0.0.1:{free_port()}"}
    host.daemon.write(document)
    document = diagnosis(host)
    assert causes(document) == ["proxy"]
    assert check(document, "cloud.reach")["because"] == "proxy"
    assert "canary" not in json.dumps(document)


def test_an_authority_that_nobody_knows_is_told(rig: Rig) -> None:
    rig.start_printer()
    rig.reach.start(certificate=rig.certificate())
    document = rig.configuration()
    document["backends"] = document["backends"][:1]
    del document["network"]
    rig.daemon.write(document)
    document = diagnosis(rig)
    assert causes(document) == ["cloud.reach"]
    assert "certificate" in check(document, "cloud.reach")["text"]
    assert "ca_file" in check(document, "cloud.reach")["remedy"]


# A network of its own

# Whatever is started there ends with the doctor, the first process of its kind.
IN_NAMESPACE = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--", "bash", "-c")


def in_namespace(rig: Rig, setup: str) -> Document:
    """The diagnosis within a network namespace of its own, where `setup` has been run; Moonraker by its Unix socket."""
    probe = subprocess.run((*IN_NAMESPACE, "ip link set lo up"), capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no namespaces here: {probe.stderr.strip()}")
    document = rig.configuration(moonraker=f"unix:{rig.moonraker.unix_socket}")
    document["backends"] = [{"type": "reach", "relay": "https://relay.cloud.example", "pairing_code": "PAIR-0001"}]
    rig.daemon.write(document)
    return diagnosis(rig, prefix=(*IN_NAMESPACE, f'set -e; {setup}; exec "$0" "$@"'))


def test_without_a_way_out_the_network_is_the_cause(host: Rig) -> None:
    document = in_namespace(host, "ip link set lo up")
    assert causes(document) == ["network"]
    for name in ("dns", "cloud.reach", "cloud.reach.account"):
        assert check(document, name)["because"] == "network", document


DUMMY = (
    "ip link set lo up; ip link add d0 type veth peer name d1; ip addr add 192.0.2.9/24 dev d0; "
    "ip link set d1 up; ip link set d0 up; ip route add default via 192.0.2.1"
)


def hosts(rig: Rig, name: str, text: str, target: str) -> str:
    """Puts a file of our own in the place of one in /etc."""
    path: Path = rig.folder / name
    path.write_text(text)
    return f"mount --bind {path} {target}"


def test_broken_name_servers_are_the_cause(host: Rig) -> None:
    resolver = hosts(host, "resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", "/etc/resolv.conf")
    document = in_namespace(host, f"{DUMMY}; {resolver}")
    assert causes(document) == ["dns"]
    assert "resolv.conf" in check(document, "dns")["remedy"]


PORTAL = """
import http.server, socket, ssl, sys, threading
class Login(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", "http://login.hotel.example/")
        self.end_headers()
    def log_message(self, *_): pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
secure = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Login)
secure.socket = context.wrap_socket(secure.socket, server_side=True)
plain = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Login)
for server in (secure, plain):
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""


def test_a_login_page_of_the_network_is_told_from_a_wrong_certificate(rig: Rig) -> None:
    rig.start_printer()
    chain, key = rig.certificate()
    rig._authority = None  # its authority is one that the daemon does not know
    script = rig.folder / "portal.py"
    script.write_text(PORTAL)
    names = hosts(rig, "hosts", "127.0.0.1 localhost relay.cloud.example\n", "/etc/hosts")
    portal = f"(python3 {script} {chain} {key} > {rig.folder}/portal.out & )"
    ready = f"for i in $(seq 100); do grep -q ready {rig.folder}/portal.out && break; sleep 0.05; done"
    document = in_namespace(rig, f"{DUMMY}; {names}; {portal}; {ready}")
    assert causes(document) == ["cloud.reach"], document
    assert "login page" in check(document, "cloud.reach")["text"]
    assert "login.hotel.example" in check(document, "cloud.reach")["text"]
