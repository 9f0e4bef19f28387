"""Write Benchmarks/link-order.txt: the functions that a working daemon runs, the busiest first.

The linker puts them side by side. Without that they lie all over the binary, and the kernel, which maps sixteen pages
around each one that is touched, keeps nearly all of it resident: 1.5 MB more.

Run it (`make link-order`, five minutes) when much has changed. A name that is no longer there does no harm, a new
function that is not in the list only lies further away.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "Support"))

import sample_gcode
from harness import Rig


def work_under_callgrind(binary: Path, folder: Path) -> Path:
    """Let the daemon work for a while with every cloud, pictures and a print; returns callgrind's file."""
    wrapper = folder / "daemon.sh"
    wrapper.write_text(
        "#!/bin/sh\nexec valgrind --tool=callgrind --compress-strings=no --demangle=no "
        f'--callgrind-out-file={folder}/calls {binary} "$@"\n'
    )
    wrapper.chmod(0o700)
    with Rig(binary=wrapper) as rig:
        (rig.moonraker.gcodes / "order.gcode").write_text(sample_gcode.gcode(minutes=30))
        camera = rig.add_camera()
        rig.start_printer(speed=1, moonraker=camera.section())
        rig.start_clouds(heartbeat=10, snapshots=30, next_check_in=30, telemetry=10, telemetry_idle=30)
        rig.polar.start("--status-interval", "60")
        rig.php_hub.start()
        configuration = rig.configuration()
        configuration["backends"] += [
            rig.polar.entry(status_interval=60, webcam_enabled=True, idle_image_interval=10),
            {"type": "php-hub", "server_url": rig.php_hub.server_url, "printer_token": rig.php_hub.token},
        ]
        rig.daemon.write(configuration)
        rig.daemon.start()
        time.sleep(30)  # twenty times slower than without callgrind
        rig.moonraker.call("printer.print.start", filename="order.gcode")
        rig.printer.wait_for_print_state("printing")
        rig.printdock.ask_for_picture()
        time.sleep(90)
        rig.daemon.stop(timeout=60)
    return folder / "calls"


def costs(calls: Path, binary: str) -> Counter[str]:
    """Instructions per function of the binary, callees not included."""
    found: Counter[str] = Counter()
    function = ""
    is_ours = is_call = False
    for line in calls.read_text(errors="replace").splitlines():
        if line.startswith("ob="):
            is_ours = line.endswith(binary)
        elif line.startswith("fn="):
            function = line[3:].split("'")[0]
        elif line.startswith("calls="):
            is_call = True
        elif re.match(r"[0-9+*-]", line):
            if is_ours and not is_call:
                found[function] += int(line.split()[1])
            is_call = False
    return found


def functions(binary: Path) -> set[str]:
    """The names of the binary's functions."""
    listing = subprocess.run(["nm", str(binary)], check=True, capture_output=True, text=True).stdout
    return {parts[2] for line in listing.splitlines() if len(parts := line.split()) == 3 and parts[1] in "tTwW"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True, help="a release build that has kept its symbols")
    binary = parser.parse_args().binary.resolve()
    with tempfile.TemporaryDirectory() as folder:
        found = costs(work_under_callgrind(binary, Path(folder)), binary.name)
    known = functions(binary)
    names = [name for name, _ in found.most_common() if name in known]
    if len(names) < 1_000:
        sys.exit(f"only {len(names)} functions found: did the daemon run?")
    (ROOT / "Benchmarks" / "link-order.txt").write_text("".join(f"{name}\n" for name in names))
    print(f"{len(names)} functions")


if __name__ == "__main__":
    main()
