"""What tests of commands share: rigs that obey, and what can be seen at the printer."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import sample_gcode
from harness import PrintDockCloud, ReachCloud, Rig, wait_until

from observe import state_of

JSON = dict[str, Any]


def printdock_entry(rig: Rig, **keys: Any) -> JSON:
    """PrintDock's entry of `backends`, as the rig writes it, with more keys."""
    entry = next(entry for entry in rig.configuration()["backends"] if entry["type"] == "printdock")
    return entry | keys


def obey_printdock(
    rig: Rig, *, speed: float = 20.0, moonraker: str = "", printer: JSON | None = None, **keys: Any
) -> PrintDockCloud:
    """Printer, PrintDock and the daemon with that backend alone; it has polled, so that a start is fresh."""
    sample_gcode.write(rig.moonraker.gcodes / "tower.gcode", minutes=1)
    sample_gcode.write(rig.moonraker.gcodes / "long.gcode", minutes=30)
    rig.start_printer(speed=speed, moonraker=moonraker)
    rig.printdock.start("--heartbeat", "2", "--snapshots", "3", "--commands", "1")
    write_backends(rig, printdock_entry(rig, **keys), **(printer or {}))
    rig.start_daemon()
    settle(rig.printdock)
    return rig.printdock


def obey_reach(
    rig: Rig,
    *,
    speed: float = 20.0,
    moonraker: str = "",
    printer: JSON | None = None,
    verbose: bool = False,
    **keys: Any,
) -> ReachCloud:
    """Printer, the Reach relay and the daemon with that backend alone; it has pulled, so that a start is fresh."""
    sample_gcode.write(rig.moonraker.gcodes / "tower.gcode", minutes=1)
    sample_gcode.write(rig.moonraker.gcodes / "long.gcode", minutes=30)
    rig.start_printer(speed=speed, moonraker=moonraker, verbose=verbose)
    rig.reach.start("--telemetry", "5", "--telemetry-idle", "5", "--next-check-in", "5")
    write_backends(rig, reach_entry(rig, **keys), **(printer or {}))
    rig.start_daemon()
    rig.reach.wait_for("printer-data", where=lambda record: state_of(record) == "idle")
    settle_reach(rig.reach)
    return rig.reach


def reach_entry(rig: Rig, **keys: Any) -> JSON:
    """Reach's entry of `backends`, as the rig writes it, with more keys."""
    entry = next(entry for entry in rig.configuration()["backends"] if entry["type"] == "reach")
    return entry | {"telemetry_interval": 5, "telemetry_idle_interval": 5} | keys


def settle_reach(relay: ReachCloud) -> None:
    """A pull has been answered: the next command comes without a gap."""
    relay.carry_out("server.info", method="GET")


def obey_script(rig: Rig, *names: str, speed: float = 20.0, printer: JSON | None = None, **keys: Any) -> list[Any]:
    """Printer and the daemon with scripted backends alone, all of which have asked for orders twice."""
    sample_gcode.write(rig.moonraker.gcodes / "tower.gcode", minutes=1)
    sample_gcode.write(rig.moonraker.gcodes / "long.gcode", minutes=30)
    clouds = rig.add_scripted(*names)
    rig.start_printer(speed=speed)
    write_backends(rig, *(cloud.entry(permissions="full") | keys for cloud in clouds), **(printer or {}))
    rig.start_daemon()
    return clouds


def write_backends(rig: Rig, *entries: JSON, **printer: Any) -> None:
    """The configuration with these entries and no others."""
    rig.daemon.write(rig.configuration(**printer) | {"backends": list(entries)})


def settle(cloud: PrintDockCloud, after: float = 0.0) -> None:
    """Two polls have been answered: the commands of the next answer come without a gap."""
    begin = after or time.monotonic()
    cloud.wait_for("commands", 20, begin, count=2, where=lambda record: record["status"] == 200)


def start_job(rig: Rig, name: str = "long.gcode") -> None:
    """A job that a person starts at the printer; the daemon has heard of it."""
    rig.moonraker.call("printer.print.start", filename=name)
    rig.printer.wait_for_print_state("printing")
    time.sleep(0.6)  # two ticks of Klipper's


def files_of(rig: Rig) -> dict[str, str]:
    """Every file of the printer's `config` and `gcodes` with the digest of its bytes."""
    found: dict[str, str] = {}
    for root in ("config", "gcodes"):
        for path in sorted((rig.moonraker.data / root).rglob("*")):
            if path.is_file() and "/.thumbs/" not in str(path):
                found[str(path.relative_to(rig.moonraker.data))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def left_behind(folder: Path) -> list[str]:
    """Files in a state directory that look like something half-done."""
    words = ("tmp", "stag", "part", "upload", "download", ".tar")
    return [str(path) for path in folder.rglob("*") if path.is_file() and any(word in str(path) for word in words)]


def failed(completion: JSON, reason: str = "") -> None:
    """A completion says that it failed, and why."""
    assert completion["status"] == "failed", completion
    assert reason in completion["error_message"], completion


def succeeded(completion: JSON, **result: Any) -> None:
    """A completion says that it succeeded, with this in its result."""
    assert completion["status"] == "succeeded", completion
    assert {key: completion["result"].get(key) for key in result} == result


def outcome_is(outcome: JSON, status: str, reason: str, words: str = "") -> None:
    """How the gate ended a scripted order."""
    assert (outcome["status"], outcome["reason"]) == (status, reason), outcome
    assert words in outcome["message"], outcome


def wait_until_obeyed(script: Any, timeout: float = 20.0) -> None:
    """The printer has restarted, and the daemon knows: a harmless command is done."""
    wait_until(lambda: script.obey("fan", value=0)["status"] == "done", timeout, "a command that is obeyed again", 0.3)


def wait_for_line(rig: Rig, line: str, timeout: float = 10.0) -> float:
    """Wait until G-code that begins so has begun at the printer; the monotonic time of it."""

    def begun() -> float | None:
        entries = rig.printer.journal("gcode")
        return next((entry["mono"] for entry in entries if entry["line"].startswith(line)), None)

    found = wait_until(begun, timeout, f"{line} at the printer")
    assert found is not None
    return found


def only_what_is_safe_works(script: Any, rig: Rig) -> None:
    """Reads, pause, cancel and emergency stop work without a journal; everything else is refused."""
    for order in (
        {"do": "home"},
        {"do": "start", "file": "tower.gcode"},
        {"do": "temperature", "celsius": 50},
        {"do": "gcode", "script": "M117 x"},
        {"do": "upload", "file": "x.gcode", "content": "G28\n"},
        {"do": "fan", "value": 1},
    ):
        outcome = script.outcome(script.orders([order])[0])
        assert outcome["status"] in ("refused", "failed"), outcome
    assert rig.printer.requests() == []
    assert not (rig.moonraker.gcodes / "x.gcode").exists()
    assert script.obey("list_files")["status"] == "done"
    start_job(rig)
    outcome_is(script.obey("pause"), "done", "ok")
    assert rig.printer.print_state == "paused"
    outcome_is(script.obey("cancel"), "done", "ok")
    assert rig.printer.print_state == "cancelled"
    outcome_is(script.obey("emergency_stop"), "done", "ok")
    assert len(rig.printer.journal("emergency_stop")) == 1
    assert rig.daemon.process.running
    assert rig.daemon.get("/health")[0] in (200, 503)
