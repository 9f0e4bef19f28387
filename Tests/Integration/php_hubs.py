"""What the tests of the PHP hub share: rigs that obey it, and a clock that jumps."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sample_gcode
from harness import PHPHub, Rig, wait_until

from commanding import JSON, write_backends
from preload import preload

INTERVAL = 1.0
"""Seconds between updates, and between polls, in these tests."""
OWN_FOLDER = "printerhub"


def merged(entry: JSON, changes: JSON) -> JSON:
    """An entry with more keys; sections are merged."""
    result = dict(entry)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def hub_entry(rig: Rig, **keys: Any) -> JSON:
    """The hub's entry of `backends`, quick, without a camera, with more keys."""
    entry = {
        "type": "php-hub",
        "name": "php-hub",
        "server_url": rig.php_hub.server_url,
        "printer_token": rig.php_hub.token,
        "printer_name": "Rig Uno",
        "intervals": {"status_update": INTERVAL, "command_check": INTERVAL},
        "security": {"rate_limit_seconds": 0},
        "camera": {"enabled": False},
    }
    return merged(entry, keys)


def start_hub(rig: Rig, generation: str = "v1", *options: str) -> PHPHub:
    """The hub alone, which expects our intervals."""
    intervals = ["--update", str(INTERVAL), "--poll", str(INTERVAL), "--image", "2"]
    rig.php_hub.start(*intervals, *options, generation=generation)
    return rig.php_hub


def obey_hub(
    rig: Rig,
    generation: str = "v1",
    *options: str,
    speed: float = 20.0,
    moonraker: str = "",
    printer: JSON | None = None,
    **keys: Any,
) -> PHPHub:
    """Printer, hub and the daemon with that backend alone; it has polled, so that a command is fresh."""
    sample_gcode.write(rig.moonraker.gcodes / "tower.gcode", minutes=1)
    sample_gcode.write(rig.moonraker.gcodes / "long.gcode", minutes=30)
    rig.start_printer(speed=speed, moonraker=moonraker)
    hub = start_hub(rig, generation, *options)
    write_backends(rig, hub_entry(rig, **keys), **(printer or {}))
    rig.daemon.start()
    settle_hub(hub)
    return hub


def settle_hub(hub: PHPHub, after: float = 0.0, timeout: float = 20.0) -> None:
    """The printer is known to the hub, and two polls have been answered."""
    begin = after or time.monotonic()
    hub.wait_for("update", timeout, begin, lambda record: told_status(record) != "offline")
    hub.wait_for("commands", timeout, begin, answered, count=2)


def answered(record: JSON) -> bool:
    return record["status"] == 200 and record["fault"] is None


def told_status(record: JSON) -> Any:
    """The status in an update."""
    return record["body"].get("status") if isinstance(record["body"], dict) else None


def carry_out_all(hub: PHPHub, commands: list[Any], timeout: float = 30.0) -> list[JSON]:
    """Queue commands, twenty at a time (so many results an update tells), and wait for their results."""
    found = []
    for start in range(0, len(commands), 20):
        numbers = hub.queue(*commands[start : start + 20])
        found += [hub.result(number, timeout) for number in numbers]
    return found


def ended(result: JSON, status: str, words: str = "") -> JSON:
    """How a command ended, and with which words."""
    assert result["status"] == status, result
    assert words.lower() in result["message"].lower(), result
    return result


def scripts(rig: Rig) -> list[str]:
    """Every script that reached Klippy, before its turn."""
    return [entry["script"] for entry in rig.printer.requests("gcode/script")]


def gaps(records: list[JSON]) -> list[float]:
    """Seconds between requests."""
    moments = [record["mono"] for record in records]
    return [later - earlier for earlier, later in itertools.pairwise(moments)]


SHORT = b"M117 from the hub\nG4 P20000\n"
"""A job of a second: a shorter one is over before anybody has seen it begin."""


def large(size: int) -> bytes:
    """A job of a second in so many bytes: what fills it is no work for the printer."""
    line = b";" + b"x" * 1000 + b"\n"
    return SHORT + line * (size // len(line))


def finish(rig: Rig, timeout: float = 20.0) -> None:
    """The job is over, and the daemon has heard of it."""
    rig.printer.wait_for_print_state("complete", timeout)
    time.sleep(0.6)


def audit_of(rig: Rig) -> list[JSON]:
    """The records of the audit."""
    path = rig.daemon.state / "audit.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def own_files(rig: Rig) -> list[str]:
    """What lies in the folder that downloads go to."""
    folder = rig.moonraker.gcodes / OWN_FOLDER
    return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.exists() else []


def wait_for_file(rig: Rig, name: str, timeout: float = 15.0) -> Path:
    path = rig.moonraker.gcodes / OWN_FOLDER / name
    wait_until(path.exists, timeout, str(path))
    return path


CLOCKS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <time.h>
/* Seconds by which the time of day and the running clock are ahead: "%%ld %%ld" in the switch. */
static void read_offsets(long *wall, long *running) {
  static _Atomic long last_wall, last_running;
  FILE *file = fopen("%(switch)s", "re");
  /* Where it cannot be read for once, time does not leap back. */
  if (file) {
    long new_wall, new_running;
    if (fscanf(file, "%%ld %%ld", &new_wall, &new_running) == 2) {
      last_wall = new_wall;
      last_running = new_running;
    }
    fclose(file);
  }
  *wall = last_wall;
  *running = last_running;
}
int clock_gettime(clockid_t clock, struct timespec *to) {
  static int (*next)(clockid_t, struct timespec *);
  if (!next) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int result = next(clock, to);
  long wall, running;
  read_offsets(&wall, &running);
  if (clock == CLOCK_REALTIME) to->tv_sec += wall;
  if (clock == CLOCK_BOOTTIME) to->tv_sec += running;
  return result;
}
int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old) {
  static int (*next)(int, int, const struct itimerspec *, struct itimerspec *);
  if (!next) next = (int (*)(int, int, const struct itimerspec *, struct itimerspec *))dlsym(RTLD_NEXT, "timerfd_settime");
  struct itimerspec changed = *new_value;
  long wall, running;
  read_offsets(&wall, &running);
  if ((flags & TFD_TIMER_ABSTIME) && changed.it_value.tv_sec > running) changed.it_value.tv_sec -= running;
  else if (flags & TFD_TIMER_ABSTIME) { changed.it_value.tv_sec = 0; changed.it_value.tv_nsec = 1; }
  return next(fd, flags, &changed, old);
}
"""


class Clock:
    """The daemon's clocks, ahead of everybody else's by as much as a test wants; from its next start on."""

    def __init__(self, rig: Rig) -> None:
        self._file = preload(rig, CLOCKS)
        self.wall = self.running = 0

    def jump(self, wall: float = 0, running: float = 0) -> None:
        """Move both clocks on (or the time of day back), seconds."""
        self.wall += int(wall)
        self.running += int(running)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(f"{self.wall} {self.running}")
        temporary.replace(self._file)

    def pass_hours(self, count: int, each: float = 1.2) -> Iterator[int]:
        """Let hours pass, one after the other."""
        for hour in range(count):
            self.jump(3600, 3600)
            time.sleep(each)
            yield hour
