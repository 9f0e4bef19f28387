"""Induced faults, one row each: the doctor names the right cause first, with one thing to do, beside the daemon and
without it; what only follows is skipped."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from false_clock import false_clock
from harness import PATIENCE, ManagedProcess, Rig, die_with_parent, free_port, wait_until
from place import Place, missing

Document = dict[str, Any]
HOST = "relay.cloud.example"
YEAR = 366 * 86_400
_numbers = itertools.count()


class House:
    """A printer that is well, and clouds that know it; each test disturbs one thing, and puts it back."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.begin()

    def begin(self) -> None:
        """All as it should be; what a test does is undone by `stack`."""
        self.stack = ExitStack()
        self.place: Place | None = None
        self.prefix: list[str] = []
        self.variables: dict[str, str] = {}
        self.document = self.rig.configuration(moonraker=f"unix:{self.rig.moonraker.unix_socket}")

    # The house

    def move(self, wire: bool = True) -> Place:
        """Into a network of its own, where one cloud is wanted, with TLS."""
        if problem := missing():
            pytest.skip(problem)
        self.place = self.stack.enter_context(Place(self.rig.folder))
        self.prefix = self.place.prefix
        # Another cloud's pairing, which must not be mixed up with ours.
        self.document["state_directory"] = str(self.rig.folder / "elsewhere")
        self.document["backends"] = [{"type": "reach", "relay": f"https://{HOST}", "pairing_code": "PAIR-0001"}]
        if wire:
            self.place.wire()
        return self.place

    def put_cloud(self, mode: str, known: bool, host: str = HOST) -> None:
        """The cloud, or what stands in its place, on the house's own ports."""
        assert self.place
        chain, key = self.certificate(known)
        self.place.put("/etc/hosts", f"127.0.0.1 localhost {host}\n")
        self.place.start("broken_roads.py", mode, chain, key)

    def certificate(self, known: bool) -> tuple[Path, Path]:
        """A certificate of the cloud's; `known`: its authority is the house's."""
        authority = trustme.CA()
        now = datetime.now(UTC)
        issued = authority.issue_cert(HOST, not_after=now + timedelta(days=700))
        chain, key, ca = (self.rig.folder / name for name in ("cloud.pem", "cloud.key", "cloud-ca.pem"))
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
        authority.cert_pem.write_to_path(str(ca))
        if known:
            self.document["network"] = {"ca_file": str(ca)}
        return chain, key

    def program(self, *command: str | Path) -> ManagedProcess:
        """Another program of this host, which ends with the test."""
        process = ManagedProcess(f"program-{next(_numbers)}", self.rig.folder)
        process.launch([str(word) for word in command])
        self.stack.callback(process.kill)
        return process

    # The daemon and the doctor

    def write(self) -> None:
        self.rig.daemon.write(self.document)

    def start_daemon(self) -> None:
        daemon = self.rig.daemon
        daemon.prefix, daemon.variables = self.prefix, self.variables
        self.write()
        daemon.start()
        self.stack.callback(setattr, daemon, "variables", {})
        self.stack.callback(setattr, daemon, "prefix", [])
        self.stack.callback(daemon.process.kill)
        wait_until(self._stands, 15 * PATIENCE, "the daemon")

    def _stands(self) -> bool:
        """Whether it answers; how far the clouds have come is its own affair."""
        assert self.rig.daemon.process.running, self.rig.daemon.log()[-2000:]
        return self.run("status").returncode == 0

    def run(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        rig = self.rig
        return subprocess.run(
            [*self.prefix, str(rig.binary), command, "--config", str(rig.daemon.config), *options],
            cwd=rig.daemon.folder,
            env=rig.daemon.environment() | self.variables,
            capture_output=True,
            text=True,
            timeout=60,
            preexec_fn=die_with_parent,
            check=False,
        )

    def doctor(self) -> Document:
        result = self.run("doctor", "--json")
        assert result.stdout, result.stderr
        document: Document = json.loads(result.stdout)
        assert result.returncode == (0 if document["ok"] else 1)
        # A second agent that another test runs beside this one is seen as well.
        document["own causes"] = [cause for cause in document["causes"] if not cause.startswith("agent.")]
        document["by id"] = {check["id"]: check for check in document["checks"]}
        return document


@dataclass(frozen=True)
class Fault:
    """Something that is wrong, and what the doctor is to say of it first."""

    name: str
    cause: str
    words: tuple[str, ...]
    remedy: str
    prepare: Callable[[House], None] = lambda house: None
    """What is so from the beginning."""
    strike: Callable[[House], None] = lambda house: None
    """What happens, beside a daemon while it runs."""
    skipped: tuple[str, ...] = ()
    only: bool = True
    """Whether nothing else is wrong then."""
    alone: bool = True
    beside: bool = True
    waits: bool = False
    """Whether the daemon has to see it first."""
    limit: float = field(default=5.0)
    """The doctor may take so many seconds."""


# What happens


def without_a_way_out(house: House) -> None:
    house.move(wire=False)


def with_name_servers(address: str) -> Callable[[House], None]:
    def prepare(house: House) -> None:
        house.move().put("/etc/resolv.conf", f"nameserver {address}\n")

    return prepare


def clock_beside_plain_clouds(house: House) -> None:
    # One of the two has the time in its answers.
    house.variables = false_clock(house.rig.folder, 3 * 86_400 + 600, kept=False)


def clock(years: int, mode: str, kept: bool) -> Callable[[House], None]:
    def prepare(house: House) -> None:
        house.move()
        house.put_cloud(mode, known=True)
        house.variables = false_clock(house.rig.folder, years * YEAR, kept)

    return prepare


def unknown_authority(house: House) -> None:
    house.move()
    house.put_cloud("tls", known=False)


def another_name(house: House) -> None:
    house.move()
    house.put_cloud("tls", known=True, host="other.cloud.example")
    house.document["backends"][0]["relay"] = "https://other.cloud.example"


def captive_portal(house: House) -> None:
    house.move()
    house.put_cloud("portal", known=False)


def proxy(mode: str | None) -> Callable[[House], None]:
    def prepare(house: House) -> None:
        place = house.move()
        network = {"proxy": "http://user:canary@127.0.0.1:3128"}
        if mode:
            place.start("broken_roads.py", mode, *(house.certificate(known=False) if mode == "open" else ()))
        house.document["network"] = network

    return prepare


def small_disk(house: House) -> None:
    if problem := missing():
        pytest.skip(problem)
    state = house.rig.folder / "small"
    state.mkdir(exist_ok=True)
    house.place = house.stack.enter_context(Place(house.rig.folder, net=False))
    house.prefix = house.place.prefix
    house.place.run("mount", "-t", "tmpfs", "-o", "size=160m", "none", str(state))
    house.document["state_directory"] = str(state)


def fill_the_disk(house: House) -> None:
    assert house.place
    filling = house.rig.folder / "small" / "filling"
    subprocess.run(
        [*house.place.prefix, "dd", "if=/dev/zero", f"of={filling}", "bs=1M", "count=200"],
        capture_output=True,
        check=False,
    )


def stop_moonraker(house: House) -> None:
    def again() -> None:
        house.rig.moonraker.relaunch()
        house.rig.moonraker.wait_for_klippy()

    house.rig.moonraker.stop()
    house.stack.callback(again)


def freeze_moonraker(house: House) -> None:
    house.rig.moonraker.freeze()
    house.stack.callback(house.rig.moonraker.thaw)


def wrong_key(house: House) -> None:
    key = house.rig.folder / "moonraker.key"
    key.write_text("0123456789abcdef0123456789abcdef\n")
    key.chmod(0o600)
    house.document["printer"] |= {"moonraker": house.rig.moonraker.url, "api_key_file": str(key)}


def no_key(house: House) -> None:
    house.document["printer"]["moonraker"] = house.rig.moonraker.url


def klippy(**outcome: Any) -> Callable[[House], None]:
    def strike(house: House) -> None:
        def well() -> None:
            house.rig.moonraker.call("printer.firmware_restart")
            house.rig.printer.wait_for_state("ready")
            house.rig.moonraker.wait_for_klippy()

        house.stack.callback(well)
        if outcome:
            house.rig.printer.restart(**outcome)
            house.rig.moonraker.wait_for_klippy(outcome["outcome"])
        else:
            house.rig.printer.shut_down("MCU 'mcu' shutdown: Timer too close")
            house.rig.moonraker.wait_for_klippy("shutdown")

    return strike


def dead_camera(house: House) -> None:
    call = house.rig.moonraker.call
    place = f"http://127.0.0.1:{free_port()}/webcam"
    webcam = call(
        "server.webcams.post_item",
        name="dead",
        service="mjpegstreamer",
        stream_url=f"{place}/?action=stream",
        snapshot_url=f"{place}/?action=snapshot",
    )["webcam"]
    house.stack.callback(call, "server.webcams.delete_item", uid=webcam["uid"])


def pair_first(house: House) -> None:
    """So that there is an account that can be revoked."""
    house.start_daemon()
    wait_until(lambda: not house.doctor()["own causes"], 20 * PATIENCE, "a paired cloud")
    house.rig.daemon.process.kill()


def revoke(house: House) -> None:
    house.rig.printdock.fault("*", "status", status=401, count=1000)
    house.stack.callback(house.rig.printdock.clear_faults)


def port_80_is_taken(house: House) -> None:
    place = house.move(wire=False)
    house.document["backends"] = [{"type": "cura", "listen": "0.0.0.0:80", "advertise": "off"}]
    place.start("broken_roads.py", "web")


def control_port_is_taken(house: House) -> None:
    port = house.rig.daemon.port
    process = house.program(sys.executable, "-u", "-m", "http.server", str(port), "--bind", "127.0.0.1")
    wait_until(lambda: "Serving" in process.text(), 10, "the other program")


def second_agent(house: House) -> None:
    script = house.rig.folder / "reach-link-agent.py"
    script.write_text("import time\ntime.sleep(600)\n")
    house.program(sys.executable, script)


def secret_file(house: House) -> Path:
    path = house.rig.folder / "printdock.token"
    path.write_text("PAIR_dummy_1\n")
    path.chmod(0o600)
    entry = house.document["backends"][1]
    entry.pop("pairing_token")
    entry["pairing_token_file"] = str(path)
    return path


def with_a_secret_file(house: House) -> None:
    secret_file(house)


def remove_the_secret(house: House) -> None:
    (house.rig.folder / "printdock.token").unlink()


def as_another_user(house: House) -> None:
    """The file is there, and belongs to somebody else."""
    if any(not folder.stat().st_mode & 0o001 for folder in house.rig.folder.parents):
        pytest.skip("nobody but root gets to this checkout")
    secret_file(house)
    house.prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    house.document["state_directory"] = str(house.rig.folder / "nobodys")


def let_others_in(house: House) -> None:
    for folder in (house.rig.folder, house.rig.daemon.folder):
        folder.chmod(0o755)
    house.rig.daemon.config.chmod(0o644)


def black_hole(house: House) -> None:
    house.move().put("/etc/hosts", f"127.0.0.1 localhost\n192.0.2.1 {HOST}\n")


def cloud_without_a_word(house: House) -> None:
    house.move()
    house.put_cloud("silent", known=True)


def hang(house: House) -> None:
    house.rig.daemon.process.freeze()


CLOUD = ("cloud.reach", "cloud.reach.account")
PRINTER = ("klippy", "webcam")

FAULTS = [
    Fault("no route", "network", ("no route",), "ip route", without_a_way_out, skipped=("dns", *CLOUD)),
    Fault(
        "name servers refuse",
        "dns",
        (HOST, "no name"),
        "/etc/resolv.conf",
        with_name_servers("127.0.0.1"),
        skipped=CLOUD,
    ),
    Fault(
        "name servers silent",
        "dns",
        (HOST, "no name"),
        "/etc/resolv.conf",
        with_name_servers("192.0.2.1"),
        skipped=CLOUD,
    ),
    Fault("clock ahead", "clock", ("3 days ahead",), "timedatectl", clock_beside_plain_clouds, only=False),
    Fault(
        "clock ahead, certificate run out",
        "clock",
        ("days ahead",),
        "timedatectl",
        clock(20, "honest", kept=True),
        skipped=CLOUD,
    ),
    Fault(
        "clock ahead, nobody says the time",
        "clock",
        ("run out", "no time service"),
        "timedatectl",
        clock(20, "tls", kept=False),
        skipped=CLOUD,
    ),
    Fault(
        "clock in the past",
        "clock",
        ("not yet valid", "clock says 199"),
        "timedatectl",
        clock(-30, "tls", kept=False),
        skipped=CLOUD,
    ),
    Fault("wrong CA", "cloud.reach", ("certificate",), "ca_file", unknown_authority, skipped=CLOUD[1:]),
    Fault("certificate of another", "cloud.reach", ("other.cloud.example",), "relay", another_name, skipped=CLOUD[1:]),
    Fault(
        "captive portal",
        "cloud.reach",
        ("login page", "login.hotel.example"),
        "log this host in",
        captive_portal,
        skipped=CLOUD[1:],
    ),
    Fault("dead proxy", "proxy", ("127.0.0.1:3128", "refused"), "network.proxy", proxy(None), skipped=CLOUD),
    Fault("proxy wants a password", "proxy", ("407",), "USER:PASSWORD", proxy("login"), skipped=CLOUD),
    Fault("proxy refuses", "proxy", ("403", "lets nothing"), "allowed", proxy("refuse"), skipped=CLOUD),
    Fault("proxy opens TLS", "proxy", ("opens", "certificate"), "ca_file", proxy("open"), skipped=CLOUD),
    Fault("proxy breaks TLS", "proxy", ("127.0.0.1:3128",), "no_proxy", proxy("garbage"), skipped=CLOUD),
    Fault("full disk", "disk", ("full",), "vacuum", small_disk, fill_the_disk, only=False),
    Fault(
        "Moonraker stopped", "moonraker", ("moonraker.sock",), "start moonraker", strike=stop_moonraker, skipped=PRINTER
    ),
    Fault("Moonraker hangs", "moonraker", ("in time",), "restart", strike=freeze_moonraker, skipped=PRINTER, limit=6),
    Fault("wrong key", "moonraker", ("does not accept",), "api_key_file", wrong_key, skipped=PRINTER),
    Fault("no key", "moonraker", ("asks for an API key",), "api_key_file", no_key, skipped=PRINTER),
    Fault("Klippy shut down", "klippy", ("Timer too close",), "FIRMWARE_RESTART", strike=klippy()),
    Fault(
        "Klippy in error",
        "klippy",
        ("Option 'pin'",),
        "FIRMWARE_RESTART",
        strike=klippy(outcome="error", message="Option 'pin' in section 'fan' must be specified"),
    ),
    Fault("dead camera", "webcam", ("127.0.0.1",), "crowsnest", strike=dead_camera),
    Fault("port 80 held", "inbound.cura", ("port 80", "python3 (process"), "cura.conf", port_80_is_taken),
    Fault("page's port held", "page", ("(process",), "control.listen", control_port_is_taken),
    Fault("second agent", "agent.reach", ("reach-link-agent.py",), "systemctl disable", strike=second_agent),
    Fault("secret missing", "configuration", ("printdock.token",), "", with_a_secret_file, remove_the_secret),
    Fault(
        "secret of another user",
        "configuration",
        ("printdock.token",),
        "",
        as_another_user,
        let_others_in,
        beside=False,
    ),
    Fault("black hole", "cloud.reach", ("in time",), "relay", black_hole, skipped=CLOUD[1:]),
    Fault("cloud says nothing", "cloud.reach", ("in time",), "relay", cloud_without_a_word, skipped=CLOUD[1:]),
    Fault("daemon hangs", "daemon", ("does not answer",), "systemctl restart", strike=hang, only=False, alone=False),
    Fault(
        "cloud revoked", "cloud.printdock.account", ("refused",), "pair", prepare=pair_first, strike=revoke, waits=True
    ),
]
ROWS = [
    pytest.param(fault, beside, id=f"{fault.name}, {'beside' if beside else 'alone'}")
    for fault in FAULTS
    for beside in (False, True)
    if (fault.beside if beside else fault.alone)
]


@pytest.fixture(scope="module")
def houses() -> Iterator[House]:
    with Rig() as rig:
        rig.printer.start(speed=20)
        rig.moonraker.start(trusted=False)
        rig.moonraker.wait_for_klippy()
        rig.start_clouds()
        yield House(rig)


@pytest.fixture
def house(houses: House) -> Iterator[House]:
    houses.begin()
    with houses.stack:
        yield houses


def test_the_house_is_well_without_a_fault(house: House) -> None:
    """Else the rows would show nothing."""
    house.start_daemon()
    wait_until(lambda: not house.doctor()["own causes"], 20 * PATIENCE, "a good house", 0.2)
    house.rig.daemon.process.kill()
    document = house.doctor()
    assert document["own causes"] == [], document


@pytest.mark.parametrize(("fault", "beside"), ROWS)
def test_the_right_cause_comes_first(house: House, fault: Fault, beside: bool) -> None:
    fault.prepare(house)
    house.write()
    if beside:
        house.start_daemon()
    fault.strike(house)
    if beside and fault.waits:
        wait_until(lambda: fault.cause in house.doctor()["causes"], 20 * PATIENCE, "what the daemon sees")
    begin = time.monotonic()
    document = house.doctor()
    elapsed = time.monotonic() - begin
    shown = json.dumps({"causes": document["causes"], "checks": document["checks"]}, indent=1)
    causes = document["causes" if fault.cause.startswith("agent.") else "own causes"]
    assert causes[:1] == [fault.cause], shown
    if fault.only and not beside:
        assert causes == [fault.cause], shown
    finding = document["by id"][fault.cause]
    for words in fault.words:
        assert words in finding["text"], finding
    assert finding["remedy"], finding
    assert fault.remedy in finding["remedy"], finding
    for check in fault.skipped:
        assert document["by id"][check]["state"] == "skipped", shown
        assert document["by id"][check]["because"] == fault.cause, shown
    assert elapsed < fault.limit * PATIENCE, "too slow"
    assert "canary" not in shown


def test_the_text_begins_with_the_cause_and_what_to_do(house: House) -> None:
    no_key(house)
    house.write()
    result = house.run("doctor")
    assert result.returncode == 1
    first, second, third, *_ = result.stdout.splitlines()
    assert first.startswith("wrong Moonraker: ")
    assert second.startswith("      do: ")
    assert third == ""
