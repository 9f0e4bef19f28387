"""The daemon's own life: one at a time, ends at once, reloads what changed, does one round."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import Any

import pytest
from harness import Rig, wait_until

from observe import accepted

TERM_LIMIT = 3.0


# One at a time


def test_a_second_daemon_on_the_same_state_exits_and_names_the_first(daemon_rig: Rig) -> None:
    second = daemon_rig.daemon.command("run", "--config", str(daemon_rig.daemon.config), timeout=5)
    assert second.returncode != 0
    assert str(daemon_rig.daemon.process.pid) in second.stderr
    begin = time.monotonic()
    daemon_rig.printdock.wait_for("heartbeat", after=begin)


# SIGTERM


def start_with_faults(rig: Rig, faults: list[tuple[str, str, str, dict[str, Any]]]) -> None:
    for cloud, endpoint, action, details in faults:
        getattr(rig, cloud).fault(endpoint, action, count=None, **details)
    rig.daemon.write(rig.configuration())
    rig.daemon.start()


SITUATIONS: dict[str, list[tuple[str, str, str, dict[str, Any]]]] = {
    "pairing": [("printdock", "register", "hang", {}), ("reach", "claim", "hang", {})],
    "mid-request": [("printdock", "heartbeat", "hang", {}), ("reach", "register", "hang", {})],
    "reading a slow answer": [("printdock", "*", "slow", {"seconds": 60}), ("reach", "*", "slow", {"seconds": 60})],
    "reading a flood": [("printdock", "heartbeat", "flood", {}), ("reach", "printer-data", "flood", {})],
    "backing off": [("printdock", "*", "status", {"status": 500}), ("reach", "*", "status", {"status": 500})],
    "parked": [("printdock", "*", "status", {"status": 401}), ("reach", "*", "status", {"status": 410})],
    "told to wait": [
        ("printdock", "*", "status", {"status": 429, "retry_after": 200}),
        ("reach", "*", "status", {"status": 503, "retry_after": 200}),
    ],
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_sigterm_ends_within_three_seconds(cloud_rig: Rig, situation: str) -> None:
    start_with_faults(cloud_rig, SITUATIONS[situation])
    wait_until(lambda: cloud_rig.printdock.records() and cloud_rig.reach.records(), 15, "first requests")
    time.sleep(2)
    assert cloud_rig.daemon.stop() < TERM_LIMIT
    assert cloud_rig.daemon.process.exit_status == 0


def test_sigterm_while_all_is_well_and_sigint_too(daemon_rig: Rig) -> None:
    daemon_rig.printdock.wait_for("snapshots")
    assert daemon_rig.daemon.stop() < TERM_LIMIT
    assert daemon_rig.daemon.process.exit_status == 0
    begin = time.monotonic()
    daemon_rig.daemon.start()
    daemon_rig.printdock.wait_for("heartbeat", after=begin)
    begin = time.monotonic()
    daemon_rig.daemon.process.signal(signal.SIGINT)
    wait_until(lambda: not daemon_rig.daemon.process.running, TERM_LIMIT, "the end after SIGINT")
    assert time.monotonic() - begin < TERM_LIMIT
    assert daemon_rig.daemon.process.exit_status == 0


@pytest.mark.parametrize("part", ["moonraker", "printer", "nothing"])
def test_sigterm_while_moonraker_is_frozen_or_away(cloud_rig: Rig, part: str) -> None:
    if part == "moonraker":
        cloud_rig.moonraker.freeze()
    elif part == "printer":
        cloud_rig.printer.freeze()
    else:
        cloud_rig.moonraker.kill()
    cloud_rig.daemon.write(cloud_rig.configuration())
    cloud_rig.daemon.start()
    time.sleep(2.5)
    assert cloud_rig.daemon.stop() < TERM_LIMIT
    assert cloud_rig.daemon.process.exit_status == 0


def test_sigterm_right_after_the_start(cloud_rig: Rig) -> None:
    cloud_rig.daemon.write(cloud_rig.configuration())
    for delay in (*(0.001 * step for step in range(20)), 0.05, 0.1, 0.3):
        cloud_rig.daemon.start()
        time.sleep(delay)
        assert cloud_rig.daemon.stop() < TERM_LIMIT


# SIGHUP


def test_a_reload_with_an_error_keeps_the_old_configuration_and_says_where(daemon_rig: Rig) -> None:
    rig = daemon_rig
    good = rig.daemon.config.read_text()
    bad = good + "\nnonsense_key: 1\n"
    line = bad.splitlines().index("nonsense_key: 1") + 1
    rig.daemon.change(bad)
    wait_until(lambda: rig.daemon.process.lines(f"printer-uplink.yaml:{line}:1"), 5, "the error's place in the log")
    begin = time.monotonic()
    rig.printdock.wait_for("heartbeat", after=begin)
    rig.reach.wait_for("register", after=begin)


def test_a_reload_restarts_only_what_changed(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.printdock.wait_for("snapshots")
    reach_before = {record["connection"] for record in rig.reach.records()}
    document = rig.configuration()
    for backend in document["backends"]:
        backend.pop("pairing_code", None)
        backend.pop("pairing_token", None)
    document["backends"][1]["site_name"] = "Another name"
    document["backends"][1]["ui_port"] = 4408
    moonraker_sockets = rig.moonraker.call("server.info")["websocket_count"]
    begin = time.monotonic()
    rig.daemon.change(document)
    beat = rig.printdock.wait_for("heartbeat", 10, begin)
    assert beat["mono"] - begin < 3
    rig.reach.wait_for("register", 10, begin)
    rig.reach.wait_for("printer-data", 10, begin)
    assert {record["connection"] for record in rig.reach.records(after=begin)} & reach_before, "connected anew"
    assert rig.moonraker.call("server.info")["websocket_count"] == moonraker_sockets
    assert len(rig.printdock.records("register")) == 1


def test_a_reload_adds_and_takes_away_backends(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.printdock.wait_for("snapshots")
    document = rig.configuration()
    document["backends"][1]["enabled"] = False
    rig.daemon.change(document)
    time.sleep(1)
    begin = time.monotonic()
    rig.reach.wait_for("printer-data", after=begin)
    time.sleep(3)
    assert rig.printdock.records(after=begin) == []
    document["backends"][1]["enabled"] = True
    rig.daemon.change(document)
    begin = time.monotonic()
    rig.printdock.wait_for("heartbeat", 5, begin)
    assert len(rig.printdock.records("register")) == 1


def test_a_reload_that_changes_nothing_disturbs_nobody(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.printdock.wait_for("snapshots")
    connections = {cloud.kind: {r["connection"] for r in cloud.records()} for cloud in rig.clouds}
    rig.daemon.process.signal(signal.SIGHUP)  # the clouds are not told: intervals must simply go on
    begin = time.monotonic()
    time.sleep(5)
    for cloud in rig.clouds:  # two calls at once may take a second connection; the first must live on
        assert {r["connection"] for r in cloud.records(after=begin)} & connections[cloud.kind], "connected anew"


# One round, and the rest of the command line


def test_once_does_one_full_round_and_ends_well(cloud_rig: Rig) -> None:
    rig = cloud_rig
    rig.reach.set(hold_seconds=1)
    rig.daemon.write(rig.configuration())
    done = rig.daemon.command("run", "--config", str(rig.daemon.config), "--once")
    assert done.returncode == 0, done.stderr
    assert [r["endpoint"] for r in rig.printdock.records()][:4] == ["register", "heartbeat", "commands", "snapshots"]
    assert sorted(r["endpoint"] for r in rig.reach.records()) == ["claim", "printer-data", "pull", "register"]
    for cloud in rig.clouds:
        cloud.client_restarted()
    again = rig.daemon.command("run", "--config", str(rig.daemon.config), "--once")
    assert again.returncode == 0, again.stderr
    assert len(rig.printdock.records("register")) == len(rig.reach.records("claim")) == 1
    assert rig.deviations() == []


def test_once_fails_when_one_backend_fails_and_does_the_other(cloud_rig: Rig) -> None:
    rig = cloud_rig
    rig.reach.set(hold_seconds=1)
    rig.printdock.fault("snapshots", "status", status=500, count=None)
    rig.daemon.write(rig.configuration())
    done = rig.daemon.command("run", "--config", str(rig.daemon.config), "--once", timeout=60)
    assert done.returncode == 1
    assert "printdock" in done.stderr + done.stdout
    assert accepted(rig.reach.records("printer-data")[0])


def test_a_bad_configuration_ends_with_78_and_touches_nothing(cloud_rig: Rig) -> None:
    rig = cloud_rig
    rig.daemon.write("version: 1\nbackends: 5\n")
    done = rig.daemon.command("run", "--config", str(rig.daemon.config))
    assert done.returncode == 78
    assert f"{rig.daemon.config}:2:" in done.stderr
    assert not rig.daemon.state.exists()
    missing = rig.daemon.command("run", "--config", str(rig.daemon.folder / "missing.yaml"))
    assert missing.returncode == 78
    nowhere = rig.daemon.command("run")
    assert nowhere.returncode == 78
    assert "init" in nowhere.stderr
    assert rig.printdock.records() == rig.reach.records() == []


def test_a_killed_daemon_starts_again_at_once(daemon_rig: Rig) -> None:
    daemon_rig.printdock.wait_for("snapshots")
    daemon_rig.daemon.restart()
    begin = time.monotonic()
    first = daemon_rig.printdock.wait_for("heartbeat", after=begin)
    assert first["mono"] - begin < 2
    daemon_rig.reach.wait_for("printer-data", after=begin)


def test_health_says_which_backend_fails_and_why(daemon_rig: Rig) -> None:
    rig = daemon_rig
    rig.printdock.wait_for("snapshots")
    wait_until(lambda: rig.daemon.get("/health") == (200, "OK"), 10, "a healthy daemon")
    rig.reach.fault("*", "status", status=403, count=None)
    # Its last heartbeat counts for three intervals of 5 s.
    wait_until(lambda: rig.daemon.get("/health")[0] == 503, 25, "an unhealthy backend")
    assert rig.daemon.get("/health")[1].startswith("reach:")
    rig.reach.clear_faults()
    assert [rig.daemon.get(path)[0] for path in ("/", "/metrics", "/api/status")] == [200, 200, 200]
    assert "printdock" in rig.daemon.get("/api/status")[1]


def test_the_service_managers_watchdog_ends_a_daemon_that_it_takes_for_dead(daemon_rig: Rig) -> None:
    """It sends SIGABRT, once."""
    daemon_rig.daemon.process.signal(signal.SIGABRT)
    wait_until(lambda: not daemon_rig.daemon.process.running, 30, "the end")
    assert daemon_rig.daemon.process.exit_status != 0


def test_without_a_proc_of_its_own_it_says_so_instead_of_crashing_later(rig: Rig) -> None:
    """The threads of Swift look themselves up there."""
    prefix = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no PID namespaces here")
    rig.daemon.write(rig.configuration())
    command = [*prefix, str(rig.binary), "run", "--config", str(rig.daemon.config)]
    result = subprocess.run(
        command, env=rig.daemon.environment(), capture_output=True, text=True, timeout=20, check=False
    )
    assert result.returncode == 1
    assert "/proc does not show this process" in result.stderr
    assert not rig.daemon.state.exists()
