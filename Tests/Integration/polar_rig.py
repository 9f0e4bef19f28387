"""What the tests of the Polar Cloud share: a rig that is online with it, files to print, what the audit says."""

from __future__ import annotations

import json
import time
from typing import Any

import sample_gcode
from harness import PolarCloud, Rig, wait_until

from commanding import write_backends

JSON = dict[str, Any]
BACKLOG = 3.2
"""Seconds after the greeting in which a command counts as one that has waited: too old to move anything."""


def obey_polar(
    rig: Rig,
    *options: str,
    speed: float = 20.0,
    camera: bool = False,
    fresh: bool = True,
    printer: JSON | None = None,
    **keys: Any,
) -> PolarCloud:
    """Printer, Polar Cloud and the daemon with that backend alone, online; `fresh`: commands count from now on."""
    section = rig.add_camera().section() if camera else ""
    sample_gcode.write(rig.moonraker.gcodes / "local.gcode", minutes=10)
    rig.start_printer(speed=speed, moonraker=section)
    pings = () if "--ping-interval" in options else ("--ping-interval", "2", "--ping-timeout", "2")
    rig.polar.start("--status-interval", "10", *pings, *options)
    offer_files(rig)
    write_backends(rig, rig.polar.entry(webcam_enabled=camera, **keys), **(printer or {}))
    rig.daemon.start()
    rig.polar.wait_until_online()
    if fresh:
        time.sleep(BACKLOG)
    return rig.polar


def offer_files(rig: Rig) -> None:
    """`cube.gcode` takes 3 s to print, `long.gcode` 30 s; the models beside them are never fetched."""
    for name, minutes in (("cube.gcode", 1), ("long.gcode", 10)):
        path = sample_gcode.write(rig.folder / name, minutes=minutes)
        rig.polar.file(name, path.read_text())


def audit(rig: Rig, name: str = "print") -> list[JSON]:
    """The audit's records of a command of the wire."""
    path = rig.daemon.state / "audit.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [record for record in records if name in json.dumps(record)]


def starts(rig: Rig) -> int:
    """How often the printer was told to start a file, by whomever."""
    return len([entry for entry in rig.printer.requests("gcode/script") if "SDCARD_PRINT_FILE" in entry["script"]])


def cloud_files(rig: Rig) -> list[str]:
    """The files of cloud jobs at the printer."""
    return sorted(path.name for path in rig.moonraker.gcodes.rglob("*_cloud_*.gcode"))


def wait_until_still_alive(rig: Rig, timeout: float = 20.0) -> None:
    """The session goes on: pings are answered on the same connection, and a harmless command is obeyed."""
    begin = time.monotonic()
    rig.polar.send("temperature", {"bed": 31})
    wait_until(lambda: rig.printer.object("heater_bed")["target"] == 31, timeout, "a command that is obeyed")
    rig.polar.send("temperature", {"bed": 0})
    wait_until(lambda: rig.printer.object("heater_bed")["target"] == 0, timeout, "a command that is obeyed")
    assert rig.polar.records("open", begin) == []
