"""How long the commands take that an owner waits for: `status`, and `doctor` with one cloud that is dead."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from harness import Rig, wait_until
from place import Place, missing

from measuring import Figure, percentile

DEAD = "cloud.example"


def seconds(rig: Rig, *command: str, prefix: tuple[str, ...] = ()) -> float:
    """From the start of the process to its end."""
    line = [*prefix, str(rig.binary), *command, "--config", str(rig.daemon.config)]
    begin = time.perf_counter()
    result = subprocess.run(line, env=rig.daemon.environment(), capture_output=True, check=False)
    elapsed = time.perf_counter() - begin
    assert result.stdout, result.stderr
    return elapsed


def statuses(binary: Path, runs: int) -> list[float]:
    """Milliseconds of `status` beside a daemon with two clouds."""
    with Rig(binary=binary) as rig:
        rig.start_printer()
        rig.start_clouds()
        rig.start_daemon()
        return [seconds(rig, "status") * 1000 for _ in range(runs)]


def dead_cloud(binary: Path, runs: int, beside: bool) -> list[float]:
    """Seconds of `doctor` where the one cloud's packets go nowhere, with the daemon beside it or without one."""
    with Rig(binary=binary) as rig, Place(rig.folder) as place:
        rig.start_printer()
        place.wire()
        place.put("/etc/hosts", f"127.0.0.1 localhost\n192.0.2.1 {DEAD}\n")
        document = rig.configuration(moonraker=f"unix:{rig.moonraker.unix_socket}")
        document["backends"] = [{"type": "reach", "relay": f"https://{DEAD}", "pairing_code": "PAIR-0001"}]
        rig.daemon.write(document)
        prefix = tuple(place.prefix)
        if beside:
            rig.daemon.prefix = place.prefix
            rig.daemon.start()
            wait_until((rig.daemon.state / "control.sock").exists, 15, "the daemon")
        return [seconds(rig, "doctor", prefix=prefix) for _ in range(runs)]


def figures(binary: Path, runs: int) -> list[Figure]:
    """Rows of docs/figures.md."""
    shown = statuses(binary, runs * 10)
    rows = [
        Figure("status", "≤ 20 ms", shown, "ms", lambda x: x <= 20, 1),
        Figure("… its p99", "–", [percentile(shown, 0.99)], "ms", lambda x: True, 1),
    ]
    if missing():
        return rows
    for beside, where in ((True, "beside the daemon"), (False, "without a daemon")):
        times = dead_cloud(binary, min(runs, 5), beside)
        rows.append(Figure(f"doctor with one dead cloud, {where}", "≤ 5 s", times, "s", lambda x: x <= 5))
    return rows
