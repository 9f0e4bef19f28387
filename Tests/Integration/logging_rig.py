"""The daemon with every connector at a real printer's pace, and what its log file says."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import sample_gcode
from harness import Rig, free_port, wait_until

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (TRACE|DEBUG|INFO |WARN |ERROR|CRIT ) ([^:]+): (.+)")
"""The form of every line: local time, level, who says it, what."""


def log_file(rig: Rig) -> Path:
    """Where Mainsail looks for logs."""
    return rig.moonraker.data / "logs" / "printer-uplink.log"


def configuration(rig: Rig, **log: Any) -> dict[str, Any]:
    """All five connectors with their cameras, at the clouds' own intervals, at the level of every day."""
    document = rig.configuration()
    reach, printdock = document["backends"]
    reach["webcam"] = {"mode": "always", "interval": 10}
    document["backends"] = [
        reach,
        printdock,
        rig.polar.entry(webcam_enabled=True),
        {"type": "php-hub", "server_url": rig.php_hub.server_url, "printer_token": rig.php_hub.token},
        {"type": "cura", "listen": f"127.0.0.1:{free_port()}", "advertise": "off"},
    ]
    document["log"] = {"level": "info", "file": str(log_file(rig))} | log
    return document


def start_everything(rig: Rig, **log: Any) -> None:
    """Printer, camera, clouds and daemon, until each cloud has had a report of a job that is printing."""
    sample_gcode.write(rig.moonraker.gcodes / "day.gcode", minutes=120)
    rig.start_printer(speed=1, moonraker=rig.add_camera().section())
    rig.start_clouds(heartbeat=10, snapshots=30, commands=3, next_check_in=30, telemetry=None)
    rig.polar.start("--status-interval", "10")
    rig.php_hub.start()
    rig.reach.set(viewer=True)
    rig.daemon.write(configuration(rig, **log))
    rig.start_daemon()
    rig.moonraker.call("printer.print.start", filename="day.gcode")
    rig.printer.wait_for_print_state("printing")
    begin = time.monotonic()
    rig.polar.wait_until_online(40, begin)
    rig.reach.wait_for("printer-data", 40, begin)
    rig.printdock.wait_for("snapshots", 40, begin)
    wait_until(lambda: rig.php_hub.printer().get("status") not in (None, "offline"), 40, "the hub's printer", 0.5)


def lines_per_speaker(text: str) -> dict[str, tuple[int, int]]:
    """Lines and bytes of each label of a log."""
    lines: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for line in text.splitlines():
        found = LINE.fullmatch(line)
        assert found, f"no line of a log: {line!r}"
        lines[found[2]] += 1
        size[found[2]] += len(line.encode()) + 1
    return {label: (lines[label], size[label]) for label in lines}
