"""The one connection to Moonraker: both transports, the key, the name, and everything that spoils it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest
from flaky_proxy import Answer, FlakyProxy, Inject, Silence, frame
from harness import Rig, free_port, wait_until

from commanding import failed, printdock_entry, reach_entry, write_backends
from observe import accepted, reachable, state_of


def both_clouds_see_the_printer(rig: Rig, after: float = 0.0, timeout: float = 20.0) -> None:
    rig.printdock.wait_for("heartbeat", timeout, after, lambda record: accepted(record) and reachable(record))
    rig.printdock.wait_for("snapshots", timeout, after, accepted)
    rig.reach.wait_for("printer-data", timeout, after, lambda record: state_of(record) == "idle")


def prepare(rig: Rig, trusted: bool = True, **intervals: int) -> None:
    """Printer, Moonraker and clouds, for tests that write their own configuration."""
    rig.printer.start(speed=20)
    rig.moonraker.start(trusted=trusted)
    rig.moonraker.wait_for_klippy()
    rig.start_clouds(**intervals)


def test_over_the_unix_socket(cloud_rig: Rig) -> None:
    cloud_rig.start_daemon(moonraker=f"unix:{cloud_rig.moonraker.unix_socket}")
    both_clouds_see_the_printer(cloud_rig)
    cloud_rig.moonraker.restart()
    both_clouds_see_the_printer(cloud_rig, time.monotonic(), 40)
    assert cloud_rig.deviations() == []


def test_with_an_api_key(rig: Rig) -> None:
    prepare(rig, trusted=False)
    key = rig.folder / "moonraker.key"
    key.write_text(rig.moonraker.api_key() + "\n")
    key.chmod(0o600)
    rig.start_daemon(api_key_file=str(key))
    both_clouds_see_the_printer(rig)
    assert key.read_text().strip() not in rig.daemon.log()
    assert rig.deviations() == []


@pytest.mark.parametrize("key", [None, "0" * 32])
def test_a_missing_or_wrong_api_key_is_named(rig: Rig, key: str | None) -> None:
    prepare(rig, trusted=False)
    rig.start_daemon(**({"api_key": key} if key else {}))
    wait_until(
        lambda: rig.daemon.process.lines("api key") or rig.daemon.process.lines("api_key"), 10, "a word on the key"
    )
    assert not reachable(rig.printdock.wait_for("heartbeat", after=time.monotonic()))
    assert rig.printdock.records("snapshots") == []
    assert len(rig.daemon.process.lines("api key")) + len(rig.daemon.process.lines("api_key")) < 12


def test_a_taken_agent_name_does_not_stop_us(cloud_rig: Rig) -> None:
    identity = {"client_name": "printer-uplink", "version": "1", "type": "agent", "url": "http://localhost"}
    cloud_rig.moonraker.client().call("server.connection.identify", **identity)
    cloud_rig.start_daemon()
    both_clouds_see_the_printer(cloud_rig)
    wait_until(lambda: cloud_rig.daemon.process.lines("agent"), 10, "a word about the name")
    assert cloud_rig.deviations() == []


@pytest.mark.parametrize("outcome", ["shutdown", "error"])
def test_a_klippy_that_was_down_before_we_came(rig: Rig, outcome: str) -> None:
    rig.printer.start(speed=20, start=outcome)
    rig.moonraker.start()
    rig.moonraker.wait_for_klippy(outcome)
    rig.start_clouds()
    rig.start_daemon()
    told = rig.reach.wait_for("printer-data", 10, where=lambda record: state_of(record) == "error")
    assert told["body"]["errors"][0]["type"] == "klippy"
    assert reachable(rig.printdock.wait_for("heartbeat", after=told["mono"]))
    begin = time.monotonic()
    rig.moonraker.call("printer.firmware_restart")
    rig.moonraker.wait_for_klippy()
    rig.disturbed()
    both_clouds_see_the_printer(rig, begin)
    assert rig.deviations() == []


def test_moonraker_starts_long_after_us(rig: Rig) -> None:
    rig.start_clouds()
    rig.start_daemon()
    assert not reachable(rig.printdock.wait_for("heartbeat"))
    time.sleep(3)
    rig.printer.start(speed=20)
    rig.moonraker.start()
    rig.moonraker.wait_for_klippy()
    begin = time.monotonic()
    rig.disturbed()
    both_clouds_see_the_printer(rig, begin, 40)
    assert rig.deviations() == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("part", ["moonraker", "klippy"])
def test_a_frozen_part_makes_no_stale_reports(daemon_rig: Rig, part: str) -> None:
    rig = daemon_rig
    both_clouds_see_the_printer(rig)
    if part == "moonraker":
        rig.moonraker.freeze()
        begin = time.monotonic()
        rig.printdock.wait_for("heartbeat", 25, begin, lambda record: not reachable(record))
        assert time.monotonic() - begin < 15 + 2.2 + 1.5
        quiet = time.monotonic()
        time.sleep(5)
        assert rig.printdock.records("snapshots", quiet) == []
        assert len(rig.printdock.records("heartbeat", quiet)) >= 2
        for action in ("pause", "sync_files"):
            failed(rig.printdock.carry_out(action, timeout=10))
        rig.moonraker.thaw()
    else:
        rig.printer.freeze()
        time.sleep(6)  # Moonraker lives: the printer counts as reachable, its data keep their age
        rig.printer.thaw()
    begin = time.monotonic()
    both_clouds_see_the_printer(rig, begin, 60)


HELLO = b'{"jsonrpc": "2.0", "method": "notify_status_update", "params": '
SPOILED: dict[str, bytes] = {
    "no JSON": frame(b"this is not JSON"),
    "half a frame": frame(b"x" * 50, length=5000),
    "a frame of 2^62 bytes": frame(b"x", length=1 << 62),
    "bad UTF-8": frame(b'{"method": "\xff\xfe"}'),
    "a reserved opcode": frame(b"x", opcode=5),
    "a masked frame": b"\x81\x85\x01\x02\x03\x04hello",
    "a continuation of nothing": frame(b"x", opcode=0),
    "a long ping": frame(b"x" * 200, opcode=9),
    "binary": frame(bytes(range(256)), opcode=2),
    "a close with one byte": frame(b"\x03", opcode=8),
    "deep JSON": frame(b"[" * 100_000),
    "wrong types": frame(HELLO + b'[{"print_stats": 5, "extruder": {"temperature": "hot"}}, "now"]}'),
    "params missing": frame(b'{"jsonrpc": "2.0", "method": "notify_status_update"}'),
    "huge numbers": frame(HELLO + b'[{"print_stats": {"print_duration": 1e400, "filament_used": -1e308}}, 1e308]}'),
    "an answer to nobody": frame(b'{"jsonrpc": "2.0", "id": 18446744073709551616, "result": []}'),
    "an endless message": frame(b"x" * 60_000, final=False) + frame(b"x" * 60_000, opcode=0, final=False) * 400,
}


@pytest.mark.timeout(150)
@pytest.mark.parametrize("half", [0, 1, 2, 3])
def test_nonsense_from_moonraker_ends_in_a_new_connection(cloud_rig: Rig, half: int) -> None:
    rig = cloud_rig
    names = list(SPOILED)[half::4]
    proxy = FlakyProxy(free_port(), rig.moonraker.port, [Inject(SPOILED[name]) for name in names])
    rig.disturbed()
    rig.start_daemon(moonraker=f"http://127.0.0.1:{proxy.port}")
    wait_until(lambda: proxy.connections > len(names), 60, f"a new connection after each of {names}")
    rig.disturbed()
    both_clouds_see_the_printer(rig, time.monotonic(), 30)
    assert rig.daemon.process.running
    assert rig.deviations() == []
    proxy.close()


def test_a_backend_that_a_reload_adds_begins_with_all_that_it_reads(rig: Rig) -> None:
    prepare(rig, telemetry=5, telemetry_idle=5)
    proxy = FlakyProxy(free_port(), rig.moonraker.port)
    address = {"moonraker": f"http://127.0.0.1:{proxy.port}"}
    reach, printdock = reach_entry(rig), printdock_entry(rig, push_snapshots_seconds=1)

    def reload(*entries: dict) -> None:
        write_backends(rig, *entries, **address)
        rig.daemon.change(rig.daemon.config.read_text())

    write_backends(rig, reach, **address)
    rig.daemon.start()
    rig.reach.wait_for("printer-data", where=lambda record: state_of(record) == "idle")
    proxy.delay = 2
    reload(reach, printdock)
    rig.printdock.wait_for("snapshots", where=accepted)
    # One that goes has all its fields until its end.
    reload(reach)
    wait_until(lambda: "removed printdock" in rig.daemon.log(), 10, "the end of printdock")
    time.sleep(5)
    # Where Moonraker says nothing for long, nobody waits for it.
    proxy.delay = 20
    begin = time.monotonic()
    reload(reach, printdock)
    rig.printdock.wait_for("heartbeat", after=begin)
    assert time.monotonic() - begin < 8
    assert rig.deviations() == []
    proxy.close()


HANDSHAKES: list[Answer | Silence] = [
    Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"),
    Answer(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
    Answer(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
    Answer(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"),
    Answer(b"\x00" * 100),
    Answer(b"HTTP/1.1 101 "),
    Answer(b""),
]


@pytest.mark.timeout(150)
def test_a_spoiled_handshake_is_tried_again(cloud_rig: Rig) -> None:
    rig = cloud_rig
    proxy = FlakyProxy(free_port(), rig.moonraker.port, list(HANDSHAKES[:4]))
    rig.start_daemon(moonraker=f"http://127.0.0.1:{proxy.port}")
    wait_until(lambda: proxy.connections > 4, 60, "a good connection in the end")
    both_clouds_see_the_printer(rig, time.monotonic(), 30)
    proxy.close()


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("plan", [*HANDSHAKES[4:], Silence()])
def test_a_silent_handshake_is_given_up(cloud_rig: Rig, plan: Answer | Silence) -> None:
    rig = cloud_rig
    proxy = FlakyProxy(free_port(), rig.moonraker.port, [plan])
    rig.start_daemon(moonraker=f"http://127.0.0.1:{proxy.port}")
    wait_until(lambda: proxy.connections > 1, 40, "a second attempt")
    assert proxy.connections == 2  # never two attempts at once
    both_clouds_see_the_printer(rig, time.monotonic(), 30)
    proxy.close()


NAMESPACE = f"uplink{os.getpid() % 10000}"


@pytest.fixture
def other_host():
    """A network namespace that stands for another host: its address, and ours as seen from there."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    ours, theirs = f"{NAMESPACE}a", f"{NAMESPACE}b"

    def ip(*arguments: str, check: bool = True) -> None:
        subprocess.run(["ip", *arguments], check=check, capture_output=True)

    try:
        ip("netns", "add", NAMESPACE)
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", NAMESPACE)
        ip("addr", "add", "198.18.77.1/30", "dev", ours)
        ip("link", "set", ours, "up")
        for command in (["addr", "add", "198.18.77.2/30", "dev", theirs], ["link", "set", theirs, "up"]):
            ip("-n", NAMESPACE, *command)
        ip("-n", NAMESPACE, "link", "set", "lo", "up")
    except subprocess.CalledProcessError as error:
        ip("netns", "del", NAMESPACE, check=False)
        pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
    yield NAMESPACE, "198.18.77.2"
    ip("netns", "del", NAMESPACE, check=False)
    ip("link", "del", ours, check=False)


def test_a_moonraker_on_another_host_with_its_key(rig: Rig, other_host: tuple[str, str]) -> None:
    namespace, address = other_host
    rig.printer.start(speed=20)
    rig.moonraker.start(trusted=False, host="0.0.0.0", prefix=["ip", "netns", "exec", namespace])
    rig.moonraker.wait_for_klippy()
    rig.start_clouds()
    rig.start_daemon(moonraker=f"http://{address}:{rig.moonraker.port}", api_key=rig.moonraker.api_key())
    both_clouds_see_the_printer(rig)
    subprocess.run(["ip", "link", "set", f"{NAMESPACE}a", "down"], check=True)  # the Wi-Fi is gone: no FIN, no RST
    rig.disturbed()
    begin = time.monotonic()
    rig.printdock.wait_for("heartbeat", 25, begin, lambda record: not reachable(record))
    subprocess.run(["ip", "link", "set", f"{NAMESPACE}a", "up"], check=True)
    rig.disturbed()
    both_clouds_see_the_printer(rig, time.monotonic(), 60)
    assert rig.deviations() == []
