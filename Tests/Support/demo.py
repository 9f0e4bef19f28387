"""What `make run` shows: one simulated printer printing, four demo clouds, and the daemon between them.

Real Moonraker stands in front of the simulated printer; the clouds are the strict test clouds, one of them
a real PHP hub where PHP is installed. All of it listens on free loopback ports and lives in `.build/demo`, made anew each time. Ctrl-C ends it.

Run: `demo.py --binary PATH [--seconds N] [--summary]`
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

import sample_gcode
from harness import BUILD, Cloud, MoonrakerError, Rig, wait_until

FOLDER = BUILD / "demo"
PAUSE_BETWEEN_JOBS = 15.0
FILES = {"benchy tower.gcode": 3.0, "calibration.gcode": 1.5}
"""Names and minutes of the files that are printed in turn; then comes a job of the Polar Cloud's."""
CLOUD_FILE = "calibration.gcode"


class Ended(Exception):
    """Ctrl-C or SIGTERM: the person has seen enough."""


def end(number: int, frame: FrameType | None) -> NoReturn:
    """Signal handler: once; what follows is the way out."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise Ended


def say(text: str) -> None:
    """One line of the demonstration's own."""
    print(f"[demo] {text}", flush=True)


class Demo:
    """The demonstration: start everything, print one file after the other, end everything."""

    def __init__(self, binary: Path, folder: Path, speed: float) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.rig = Rig(folder, binary)
        self.speed = speed
        self.clouds: list[tuple[Cloud, str]] = [
            (self.rig.printdock, "snapshots"),
            (self.rig.reach, "printer-data"),
            (self.rig.polar, "status"),
        ]
        self.jobs = 0
        self.idle_since = -PAUSE_BETWEEN_JOBS

    def start(self) -> None:
        """Printer, clouds, daemon, in this order."""
        rig = self.rig
        say("starting a simulated printer behind Moonraker …")
        for name, minutes in FILES.items():
            sample_gcode.write(rig.moonraker.gcodes / name, minutes)
        rig.start_printer(speed=self.speed, moonraker=rig.add_camera().section())
        for part in (
            rig.printdock.process,
            rig.reach.process,
            rig.polar.process,
            rig.php_hub.process,
            rig.daemon.process,
        ):
            part.inherits = True
        rig.start_clouds("--announce", heartbeat=10, snapshots=10, next_check_in=15, telemetry=5)
        rig.polar.start("--announce", "--status-interval", "10")
        rig.polar.file(CLOUD_FILE, (rig.moonraker.gcodes / CLOUD_FILE).read_text())
        document = rig.configuration()
        document["backends"].append(rig.polar.entry(webcam_enabled=True))
        document["printer"]["name"] = "Demo printer"
        document["log"] = {"level": "info"}
        if self._start_hub():
            hub = {"type": "php-hub", "server_url": rig.php_hub.server_url, "printer_token": rig.php_hub.token}
            document["backends"].append(hub | {"camera": {"enabled": False}})
        rig.daemon.write(document)
        say(f"configuration: {rig.daemon.config}")
        rig.daemon.start()
        wait_until(self._page_is_up, 20, "the daemon's status page")
        say(f"status page:   http://127.0.0.1:{rig.daemon.port}/")
        say(f"Moonraker:     {rig.moonraker.url}")
        say(f"the printer heats up and prints; {len(self.clouds)} clouds are told. Ctrl-C ends it.")

    def _start_hub(self) -> bool:
        """The PHP hub, where there is PHP."""
        if shutil.which("php") is None:
            say("no php here: the PHP hub is left out")
            return False
        self.rig.php_hub.start("--announce")
        self.clouds.append((self.rig.php_hub, "update"))
        say(f"PHP hub:       http://127.0.0.1:{self.rig.php_hub.php_port}/printerhub/api.php?action=get_printers")
        return True

    def _page_is_up(self) -> bool:
        if not self.rig.daemon.process.running:
            raise AssertionError(f"the daemon ended with status {self.rig.daemon.process.exit_status}")
        try:
            return self.rig.daemon.get("/health")[0] in (200, 503)
        except OSError:
            return False

    def watch(self, seconds: float | None) -> int:
        """Keep the printer printing until the time is up; the exit status."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while deadline is None or time.monotonic() < deadline:
            if not self.rig.daemon.process.running:
                say(f"the daemon ended by itself, with status {self.rig.daemon.process.exit_status}")
                return 1
            self._print_next()
            time.sleep(0.5)
        return 0

    def _print_next(self) -> None:
        state = self.rig.printer.state()
        busy = state["state"] != "ready" or state["objects"]["print_stats"]["state"] in ("printing", "paused")
        if busy:
            self.idle_since = time.monotonic()
        elif time.monotonic() - self.idle_since >= PAUSE_BETWEEN_JOBS:
            turn = self.jobs % (len(FILES) + 1)
            self.jobs += 1
            self.idle_since = time.monotonic()
            try:
                if turn == len(FILES):
                    say(f"the Polar Cloud hands out {CLOUD_FILE}")
                    self.rig.polar.print(CLOUD_FILE, jobName="Calibration")
                    return
                name = list(FILES)[turn]
                say(f"printing {name}")
                self.rig.moonraker.call("printer.print.start", filename=name)
            except (MoonrakerError, OSError) as error:
                say(f"not started: {error}")

    def stop(self) -> None:
        """End the daemon in good order, then the rest."""
        say("ending …")
        try:
            if self.rig.daemon.process.running:
                say(f"the daemon ended within {self.rig.daemon.stop():.1f} s")
            if self.rig.moonraker.process.running:
                self.rig.moonraker.process.terminate()
        except AssertionError as error:
            say(str(error))
        self.rig.close()

    def summary(self) -> int:
        """Print what each cloud received; 1 when one of them received no report."""
        status = 0
        for cloud, report in self.clouds:
            counts: dict[str, int] = {}
            for record in cloud.records():
                counts[record["endpoint"]] = counts.get(record["endpoint"], 0) + 1
            text = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing"
            deviations = cloud.deviations()
            say(f"{cloud.kind} received {text}; deviations: {len(deviations)}")
            for deviation in deviations[:10]:
                say(f"  {deviation}")
            if not counts.get(report):
                status = 1
        return status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True, help="the daemon")
    parser.add_argument("--seconds", type=float, help="end by itself after that time")
    parser.add_argument("--summary", action="store_true", help="at the end, what each cloud received")
    parser.add_argument("--speed", type=float, default=1.0, help="printer seconds per second")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where its state goes; emptied first")
    arguments = parser.parse_args()
    if not arguments.binary.exists():
        parser.error(f"{arguments.binary} does not exist; build it with: make build")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    demo = Demo(arguments.binary.resolve(), arguments.folder.resolve(), arguments.speed)
    status = 0
    try:
        demo.start()
        status = demo.watch(arguments.seconds)
    except Ended:
        pass
    except Exception as error:
        say(f"failed: {error}")
        status = 1
    demo.stop()
    if arguments.summary:
        status = demo.summary() or status
    return status


if __name__ == "__main__":
    sys.exit(main())
