"""Every connector that pairs does so by `pair`, forgets by `unpair`, and pairs again; the file stays as it is."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from harness import PATIENCE, Rig, wait_until

from commanding import JSON, printdock_entry, reach_entry, write_backends
from php_hubs import hub_entry, start_hub


@dataclass(frozen=True)
class Connector:
    """A connector that pairs: its cloud, its entry, the key and the codes."""

    name: str
    key: str
    start: Callable[[Rig], JSON]
    good: Callable[[Rig], str]
    wrong: str
    refresh: Callable[[Rig], str]
    """Another code, for the second time."""


def start_printdock(rig: Rig) -> JSON:
    rig.printdock.start("--heartbeat", "2", "--snapshots", "3", "--token", "PAIR_first")
    return printdock_entry(rig)


def start_reach(rig: Rig) -> JSON:
    rig.reach.start("--telemetry", "5", "--telemetry-idle", "5", "--next-check-in", "5")
    return reach_entry(rig)


def start_polar(rig: Rig) -> JSON:
    rig.polar.start("--status-interval", "10", "--ping-interval", "2", "--ping-timeout", "2")
    return rig.polar.entry()


def start_php_hub(rig: Rig) -> JSON:
    start_hub(rig)
    return hub_entry(rig)


def new_token(rig: Rig) -> str:
    rig.printdock.order("token", token="PAIR_second")
    return "PAIR_second"


def new_reach_code(rig: Rig) -> str:
    rig.reach.order("code", code="PAIR-0002")
    return "PAIR-0002"


CONNECTORS = [
    Connector("printdock", "pairing_token", start_printdock, lambda rig: "PAIR_first", "PAIR_wrong", new_token),
    Connector("reach", "pairing_code", start_reach, lambda rig: "PAIR-0001", "PAIR-9999", new_reach_code),
    Connector("polar", "pin", start_polar, lambda rig: rig.polar.pin, "9999", lambda rig: rig.polar.pin),
    Connector(
        "php-hub",
        "printer_token",
        start_php_hub,
        lambda rig: rig.php_hub.token,
        "LAB_WRONG_9999",
        lambda rig: rig.php_hub.token,
    ),
]


def command(rig: Rig, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return rig.daemon.command(*arguments, "--config", str(rig.daemon.config), given=given, timeout=60)


def state(rig: Rig, name: str) -> JSON:
    result = command(rig, "status", "--json")
    entries = json.loads(result.stdout)["backends"] if result.returncode == 0 else []
    return next((entry for entry in entries if entry["name"] == name), {"state": None})


def kept(rig: Rig) -> str:
    """All that stands in the state folder's files of JSON."""
    return "".join(path.read_text(errors="replace") for path in rig.daemon.state.rglob("*.json"))


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
def test_pair_unpair_and_pair_again(rig: Rig, connector: Connector) -> None:
    rig.start_printer()
    entry = connector.start(rig)
    del entry[connector.key]
    name = entry["name"]
    # A token of one's own is never missing while the entry is on; `pair` switches it on.
    first = "disabled" if connector.name == "php-hub" else "parked"
    write_backends(rig, entry | ({"enabled": False} if first == "disabled" else {}))
    text = rig.daemon.config.read_text()
    rig.daemon.start()
    wait_until(lambda: state(rig, name)["state"] == first, 15 * PATIENCE, "an entry that is not paired")
    assert first == "disabled" or state(rig, name)["remedy"], state(rig, name)

    begin = time.monotonic()
    result = command(rig, "pair", name, connector.wrong)
    assert result.returncode == 1, f"the cloud does not take it: {result.stdout}"
    assert name in result.stderr
    assert connector.wrong not in result.stdout + result.stderr
    assert time.monotonic() - begin < 25 * PATIENCE

    result = command(rig, "pair", name, given=connector.good(rig) + "\n")
    assert result.returncode == 0, result.stderr
    assert "online" in result.stdout
    rig.daemon.restart()
    wait_until(lambda: state(rig, name)["state"] == "online", 20 * PATIENCE, "the pairing after a restart")

    result = command(rig, "unpair", name)
    assert result.returncode == 0, result.stderr
    assert state(rig, name)["state"] == "disabled"
    assert connector.good(rig) not in kept(rig)
    assert not list((rig.daemon.state / "identities").glob("*.json"))

    result = command(rig, "pair", name, connector.refresh(rig))
    assert result.returncode == 0, result.stderr
    assert state(rig, name)["state"] == "online"
    assert rig.daemon.config.read_text() == text
    assert connector.good(rig) not in rig.daemon.log()
    for path in rig.daemon.state.rglob("*"):
        assert path.is_dir() or path.is_socket() or path.stat().st_mode & 0o077 == 0, path


def test_what_is_not_paired_by_a_code_says_so(rig: Rig) -> None:
    rig.start_printer()
    write_backends(rig, {"type": "cura", "listen": "127.0.0.1:0", "advertise": "off"})
    rig.daemon.start()
    wait_until(lambda: state(rig, "cura")["state"] is not None, 15 * PATIENCE, "the daemon")
    result = command(rig, "pair", "cura", "1234")
    assert result.returncode == 1
    assert "'cura' is of type cura, which is not paired by a code" in result.stderr
    result = command(rig, "pair", "cura", given="")
    assert result.returncode == 2
    assert "needs a code" in result.stderr


def test_a_code_that_stands_in_the_file_is_changed_there(rig: Rig) -> None:
    rig.start_printer()
    rig.printdock.start("--heartbeat", "2", "--snapshots", "3", "--token", "PAIR_first")
    token = rig.folder / "token"
    token.write_text("PAIR_wrong\n")
    token.chmod(0o600)
    entry = printdock_entry(rig)
    del entry["pairing_token"]
    write_backends(rig, entry | {"pairing_token_file": str(token)})
    rig.daemon.start()
    wait_until(lambda: state(rig, "printdock")["state"] == "parked", 15 * PATIENCE, "the refusal")
    result = command(rig, "pair", "printdock", "PAIR_first")
    assert result.returncode == 1
    assert "change it there" in result.stderr
    assert str(rig.daemon.config) in result.stderr
