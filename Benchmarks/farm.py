"""`make bench`: what one instance costs on a host with many: daemons beside each other, printing.

Each has a file, a state directory and two clouds of its own. All listen to one Moonraker, whose printer prints: for
the daemons that is the same as one Moonraker each, and the machine need not carry twenty of these.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "Support"))

from harness import Rig, die_with_parent, free_port, wait_until
from sample_gcode import gcode

from bench import IndifferentCloud
from measuring import cpu_seconds, memory


def configuration(folder: Path, moonraker: str, port: int, cloud: int, number: int) -> str:
    """As JSON, which is YAML too."""
    entry = {"type": "printdock", "cloud_url": f"http://127.0.0.1:{cloud}", "connector_secret": "dummy"}
    return json.dumps(
        {
            "version": 1,
            "printer": {"name": f"Printer {number}", "moonraker": moonraker},
            "state_directory": str(folder / "state"),
            "control": {"listen": f"127.0.0.1:{port}"},
            "backends": [
                entry | {"name": name, "connector_id": f"{number}-{name}", "printer_id": number + 1}
                for name in ("first", "second")
            ],
        }
    )


def instances(binary: Path, count: int, seconds: float) -> dict[str, list[float]]:
    """Memory in MB and processor share in percent of a core, one value for each instance."""
    with Rig(binary=binary) as rig:
        (rig.moonraker.gcodes / "bench.gcode").write_text(gcode(minutes=30))
        rig.start_printer(speed=1)
        cloud = IndifferentCloud()
        daemons = []
        for number in range(count):
            folder = rig.folder / f"instance-{number}"
            folder.mkdir()
            file = folder / "printer-uplink.yaml"
            file.write_text(configuration(folder, rig.moonraker.url, free_port(), cloud.port, number))
            file.chmod(0o600)
            with (folder / "log").open("wb") as log:
                daemons.append(
                    subprocess.Popen(
                        [str(binary), "run", "--config", str(file)],
                        stdout=log,
                        stderr=log,
                        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
                        preexec_fn=die_with_parent,
                    )
                )
        rig.moonraker.call("printer.print.start", filename="bench.gcode")
        rig.printer.wait_for_print_state("printing")
        wait_until(lambda: rig.moonraker.call("server.info")["websocket_count"] >= count, what="all connections")
        time.sleep(20)  # past the first round of everything
        before = [cpu_seconds(daemon.pid) for daemon in daemons]
        start = time.monotonic()
        time.sleep(seconds)
        elapsed = time.monotonic() - start
        os.sync()
        seen: dict[str, list[float]] = {"rss": [], "pss": [], "dirty": [], "cpu": []}
        for daemon, used in zip(daemons, before, strict=True):
            assert daemon.poll() is None, "an instance has ended"
            here = memory(daemon.pid)
            seen["rss"].append(here["Rss"])
            seen["pss"].append(here["Pss"])
            seen["dirty"].append(here["Private_Dirty"])
            seen["cpu"].append((cpu_seconds(daemon.pid) - used) / elapsed * 100)
        for daemon in daemons:
            daemon.terminate()
        for daemon in daemons:
            daemon.wait(5)
        return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    seen = instances(options.binary.resolve(), options.count, options.seconds)
    print(f"{options.count} instances, two clouds each, printing:")
    for name, title, unit in (
        ("pss", "proportional memory (PSS) of one", "MB"),
        ("rss", "resident memory of one", "MB"),
        ("dirty", "private dirty memory of one", "MB"),
        ("cpu", "processor of one, of a core", "%"),
    ):
        values = seen[name]
        print(f"| {title} | {statistics.median(values):.2f} {unit} | {min(values):.2f} … {max(values):.2f} |")
    print(f"| all of them (PSS) | {sum(seen['pss']):.0f} MB | |")


if __name__ == "__main__":
    main()
