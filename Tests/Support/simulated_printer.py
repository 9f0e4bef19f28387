"""A Klipper printer made of plain Python: heaters, toolhead, G-code, virtual SD card.

`SimulatedPrinter` is one life of Klipper's host process, from start to restart. It knows nothing of
sockets: `klippy_simulator.py` puts Klippy's API in front of it. What outlives a restart (the warmth
of the heaters, the configured faults, the journal of what the printer really did) is in `Hardware`.

Time is the printer's own: with `speed` 10 it heats, moves and prints ten times as fast, and its
durations (`print_stats.print_duration` and so on) count the faster seconds. `eventtime` and the
250 ms status ticks stay on the host's monotonic clock, as Klipper's do.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import shlex
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Status = dict[str, Any]

AMBIENT = 22.0
MIN_EXTRUDE_TEMPERATURE = 170.0
AXIS_MINIMUM = [0.0, 0.0, -2.0, 0.0]
AXIS_MAXIMUM = [235.0, 235.0, 250.0, 0.0]
SECONDS_UNTIL_ERROR_SHOWS = 0.9  # print_stats says "printing" that long after an emergency stop
MACROS = ("START_PRINT", "END_PRINT", "PARK", "_HIDDEN")


class GCodeError(Exception):
    """A G-code that Klipper refuses; the text is what the user reads."""


@dataclass
class Heater:
    """One heater: a straight ramp up, an exponential way down."""

    name: str
    rate: float  # °C per printer second
    maximum: float
    temperature: float = AMBIENT
    target: float = 0.0
    power: float = 0.0
    updated: float = 0.0

    def advance(self, now: float) -> None:
        """Move the temperature to the printer time `now`."""
        seconds = max(0.0, now - self.updated)
        self.updated = now
        if self.target > self.temperature:
            self.temperature = min(self.target, self.temperature + self.rate * seconds)
            self.power = 1.0 if self.temperature < self.target else 0.35
        else:
            floor = max(self.target, AMBIENT)
            decay = math.exp(-seconds * self.rate / 100.0)
            self.temperature = floor + (self.temperature - floor) * decay
            self.power = 0.35 if self.target > 0 else 0.0

    @property
    def reached(self) -> bool:
        """Whether a waiting M109 or M190 may go on."""
        return abs(self.temperature - self.target) < 1.0


@dataclass
class Hardware:
    """What outlives a restart of Klippy: the metal, the test's orders, the journal."""

    gcodes: Path
    speed: float = 1.0
    has_bed: bool = True
    random: random.Random = field(default_factory=lambda: random.Random(20260101))
    extruder: Heater = field(default_factory=lambda: Heater("extruder", 3.5, 300.0))
    bed: Heater = field(default_factory=lambda: Heater("heater_bed", 1.0, 120.0))
    overrides: dict[str, Status] = field(default_factory=dict)
    dropped: dict[str, set[str]] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)  # command word -> real seconds
    failing: dict[str, list[Any]] = field(default_factory=dict)  # word -> [message, times left]
    journal: list[dict[str, Any]] = field(default_factory=list)
    counter: Any = field(default_factory=lambda: itertools.count(1))

    def note(self, kind: str, **facts: Any) -> dict[str, Any]:
        """Append to the journal of what really happened at the printer."""
        entry = {"seq": next(self.counter), "t": time.time(), "mono": time.monotonic(), "kind": kind}
        entry.update(facts)
        self.journal.append(entry)
        return entry


class PrintStats:
    """Klipper's `print_stats`, including its odd rules for durations."""

    def __init__(self, printer: SimulatedPrinter) -> None:
        self._printer = printer
        self._state = "standby"
        self.reset()

    @property
    def state(self) -> str:
        return self._state

    @state.setter
    def state(self, value: str) -> None:
        if value != self._state:
            self._printer.hardware.note("print_state", old=self._state, new=value, filename=self.filename)
        self._state = value

    def reset(self) -> None:
        """Forget the job: what SDCARD_RESET_FILE and a new file do."""
        self.filename = ""
        self.message = ""
        self.filament_used = 0.0
        self.total_duration = 0.0
        self.started: float | None = None
        self.paused_at: float | None = None
        self.paused_total = 0.0
        self.heating = 0.0
        self.total_layer: int | None = None
        self.current_layer: int | None = None
        self.state = "standby"

    def note_start(self) -> None:
        now = self._printer.clock()
        if self.started is None:
            self.started = now
        elif self.paused_at is not None:
            self.paused_total += now - self.paused_at
            self.paused_at = None
        self.message = ""
        self.state = "printing"

    def note_pause(self) -> None:
        self.paused_at = self._printer.clock()
        if self.state != "error":
            self.state = "paused"

    def note_end(self, state: str, message: str = "") -> None:
        if self.started is None:
            return
        now = self._printer.clock()
        if self.paused_at is not None:
            self.paused_total += now - self.paused_at
        self.total_duration = now - self.started
        if self.filament_used < 1e-7:
            self.heating = self.total_duration - self.paused_total
        self.started = self.paused_at = None
        self.message = message
        self.state = state

    def status(self) -> Status:
        paused = self.paused_total
        if self.started is not None:
            now = self._printer.clock()
            if self.paused_at is not None:
                paused += now - self.paused_at
            self.total_duration = now - self.started
            if self.filament_used < 1e-7:
                self.heating = self.total_duration - paused
        return {
            "filename": self.filename,
            "total_duration": self.total_duration,
            "print_duration": max(0.0, self.total_duration - self.heating - paused),
            "filament_used": self.filament_used,
            "state": self.state,
            "message": self.message,
            "info": {"total_layer": self.total_layer, "current_layer": self.current_layer},
        }


class VirtualSDCard:
    """Klipper's `virtual_sdcard`: prints a file line by line, yielding the queue between lines."""

    def __init__(self, printer: SimulatedPrinter) -> None:
        self._printer = printer
        self.path: Path | None = None
        self.position = 0
        self.size = 0
        self.worker: asyncio.Task[None] | None = None
        self.must_pause = False
        self.in_line = False  # the command being run came from the file itself

    @property
    def active(self) -> bool:
        return self.worker is not None

    def status(self) -> Status:
        return {
            "file_path": str(self.path) if self.path else None,
            "progress": self.position / self.size if self.size else 0.0,
            "is_active": self.active,
            "file_position": self.position,
            "file_size": self.size,
        }

    def load(self, filename: str) -> None:
        """Open a file below the gcodes folder; the job that was loaded before is gone in any case."""
        self._printer.print_stats.reset()
        self.path, self.position, self.size = None, 0, 0
        name = filename.lstrip("/")
        path = (self._printer.hardware.gcodes / name).resolve()
        if not path.is_file() or self._printer.hardware.gcodes.resolve() not in path.parents:
            raise GCodeError("Unable to open file")
        self.path, self.size = path, path.stat().st_size
        self._printer.respond(f"File opened:{name} Size:{self.size}")
        self._printer.respond("File selected")
        self._printer.print_stats.filename = name

    def resume(self) -> None:
        if self.active:
            raise GCodeError("SD busy")
        self.must_pause = False
        self.worker = self._printer.spawn(self._work())

    async def pause(self) -> None:
        """Stop after the present line."""
        self.must_pause = True
        while self.active and not self.in_line:
            await asyncio.sleep(0.002)

    async def cancel(self) -> None:
        if self.path is not None:
            await self.pause()
            self.path = None
            self._printer.print_stats.note_end("cancelled")
        self.position = self.size = 0

    def reset(self) -> None:
        if self.active:
            raise GCodeError("SDCARD_RESET_FILE cannot be run from the sdcard")
        self.path, self.position, self.size = None, 0, 0
        self._printer.print_stats.reset()

    async def _work(self) -> None:
        printer, stats = self._printer, self._printer.print_stats
        assert self.path is not None
        error: str | None = None
        stats.note_start()
        try:
            with self.path.open("rb") as file:
                file.seek(self.position)
                for number, raw in enumerate(file):
                    if number % 100 == 0:
                        await asyncio.sleep(0)
                    line = raw.decode("utf-8", "replace").split(";", 1)[0].strip()
                    if line:
                        while printer.scripts_waiting and not self.must_pause:
                            await asyncio.sleep(0.01)  # other people's commands go first
                        if self.must_pause:
                            break
                        await printer.run_file_line(line)
                    if self.path is None:  # the line was a cancel
                        break
                    self.position += len(raw)
                    if self.must_pause:
                        break
                else:
                    await printer.finish_moves()
                    printer.respond("Done printing file")
                    self.path = None
        except GCodeError as failure:
            error = str(failure)
            if printer.state == "shutdown":
                await asyncio.sleep(SECONDS_UNTIL_ERROR_SHOWS)
        finally:
            self.worker = None
        if error is not None:
            stats.note_end("error", error)
        elif self.path is not None:
            stats.note_pause()
        else:
            stats.note_end("complete")


class SimulatedPrinter:
    """One life of the Klipper host: state, objects, and the queue that runs one G-code at a time.

    - Parameters
      - hardware: what outlives this life.
      - respond: receives every G-code response line (`process_gcode_response`).
      - call_remote: `(method, arguments)` for macros that call an agent; raises KeyError when nobody
        registered the method since this life began.
      - request_restart: called by RESTART and FIRMWARE_RESTART; it ends this life soon.
    """

    def __init__(
        self,
        hardware: Hardware,
        respond: Callable[[str], None],
        call_remote: Callable[[str, dict[str, str]], None],
        request_restart: Callable[[], None],
    ) -> None:
        self.hardware = hardware
        self.respond = respond
        self._call_remote = call_remote
        self._request_restart = request_restart
        self.state = "startup"
        self.state_message = "Printer is not ready"
        self._born = time.monotonic()
        self._stopped = asyncio.Event()
        self._queue = asyncio.Lock()
        self.scripts_waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._owed = 0.0  # printer seconds of movement that were not waited for yet
        self._busy_until = 0.0
        self._last_gcode = -1e9
        self.position = [0.0, 0.0, 0.0, 0.0]
        self.homed = ""
        self.feedrate = 1500.0
        self.velocity = 0.0
        self.speed_factor = 1.0
        self.extrude_factor = 1.0
        self.absolute = True
        self.absolute_extrude = True
        self.fan = 0.0
        self.chamber = AMBIENT + 6
        self.message: str | None = None
        self.m73: tuple[float, float] | None = None
        self.is_paused = False
        self.filament_detected = True
        self.print_stats = PrintStats(self)
        self.sdcard = VirtualSDCard(self)
        for heater in (hardware.extruder, hardware.bed):
            heater.updated = 0.0
            heater.target = 0.0
        self.commands: dict[str, Callable[[dict[str, str], str], Any]] = {
            name.removeprefix("cmd_"): getattr(self, name) for name in dir(self) if name.startswith("cmd_")
        }

    # Life

    def clock(self) -> float:
        """Printer seconds since this life began (host seconds times the speed)."""
        return (time.monotonic() - self._born) * self.hardware.speed

    def become(self, state: str, message: str) -> None:
        """Reach `ready`, `error` or `shutdown`."""
        self.state, self.state_message = state, message
        self.hardware.note("state", state=state, message=message)
        if state == "shutdown":
            self._stopped.set()
            for heater in (self.hardware.extruder, self.hardware.bed):
                heater.advance(self.clock())
                heater.target = heater.power = 0.0
            self.fan = 0.0

    def shut_down(self, reason: str) -> None:
        """What an emergency stop or a fault does; a second one changes nothing."""
        if self.state != "shutdown":
            self.become("shutdown", f"{reason}\nUse FIRMWARE_RESTART once the cause is removed.\nPrinter is shutdown\n")

    def spawn(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """End this life: every task of it stops."""
        for task in list(self._tasks):
            task.cancel()
        for task in list(self._tasks):
            with suppress(asyncio.CancelledError, Exception):
                await task

    async def wait(self, seconds: float) -> None:
        """Wait printer seconds; a shutdown ends the wait with its message."""
        await self._wait_real(seconds / self.hardware.speed)

    async def _wait_real(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), max(0.0, seconds))
        self._refuse_when_stopped()

    def _refuse_when_stopped(self) -> None:
        if self.state != "ready":
            raise GCodeError(self.state_message)

    # The queue

    async def run_script(self, script: str, source: str = "script") -> None:
        """Run lines as Klipper's `gcode/script` does: one script at a time, the first error ends it."""
        self.scripts_waiting += 1
        try:
            async with self._queue:
                for raw in script.split("\n"):
                    line = raw.split(";", 1)[0].strip()
                    if line:
                        await self._execute(line, source)
        finally:
            self.scripts_waiting -= 1

    async def run_file_line(self, line: str) -> None:
        async with self._queue:
            self.sdcard.in_line = True
            try:
                await self._execute(line, "file")
            finally:
                self.sdcard.in_line = False

    async def _execute(self, line: str, source: str) -> None:
        word, arguments = parse_line(line)
        entry = self.hardware.note("gcode", source=source, line=line)
        self._last_gcode = time.monotonic()
        try:
            if word in self.hardware.slow:
                await self._wait_real(self.hardware.slow[word])
            self._fail_if_ordered(word)
            handler = self.commands.get(word)
            if handler is None and word in MACROS:
                handler = self.cmd_G4
            if self.state != "ready" and word not in ALWAYS:
                raise GCodeError(self.state_message)
            if handler is None:
                self.respond(f'// Unknown command:"{word}"')
            else:
                result = handler(arguments, line)
                if asyncio.iscoroutine(result):
                    await result
        except GCodeError as error:
            self.respond(f"!! {error}".replace("\n", "\n// "))
            entry["error"] = str(error)
            raise
        finally:
            entry["done"] = time.time()

    def _fail_if_ordered(self, word: str) -> None:
        order = self.hardware.failing.get(word)
        if order:
            message, left = order
            if left is not None:
                order[1] = left - 1
                if order[1] <= 0:
                    del self.hardware.failing[word]
            raise GCodeError(message)

    async def finish_moves(self) -> None:
        """Wait until every queued move is done."""
        owed, self._owed = self._owed, 0.0
        if owed > 0:
            await self.wait(owed)
        self.velocity = 0.0

    # Movement

    async def cmd_G1(self, p: dict[str, str], line: str) -> None:
        target = list(self.position)
        for index, axis in enumerate("XYZ"):
            if axis in p:
                value = number(p[axis], line)
                target[index] = value if self.absolute else target[index] + value
        if "E" in p:
            value = number(p["E"], line)
            relative = not self.absolute or not self.absolute_extrude
            target[3] = target[3] + value * self.extrude_factor if relative else value * self.extrude_factor
        if "F" in p:
            feedrate = number(p["F"], line)
            if feedrate <= 0:
                raise GCodeError(f"Invalid speed in '{line}'")
            self.feedrate = feedrate
        if target[:3] != self.position[:3]:
            if len(self.homed) < 3:
                raise GCodeError(
                    f"Must home axis first: {target[0]:.3f} {target[1]:.3f} {target[2]:.3f} [{target[3]:.3f}]"
                )
            if any(not AXIS_MINIMUM[i] <= target[i] <= AXIS_MAXIMUM[i] for i in range(3)):
                raise GCodeError(
                    f"Move out of range: {target[0]:.3f} {target[1]:.3f} {target[2]:.3f} [{target[3]:.3f}]"
                )
        extruded = target[3] - self.position[3]
        if extruded:
            self.hardware.extruder.advance(self.clock())
            if self.hardware.extruder.temperature < MIN_EXTRUDE_TEMPERATURE:
                raise GCodeError("Extrude below minimum temp")
            if self.sdcard.active:
                self.print_stats.filament_used += extruded / self.extrude_factor
        distance = math.dist(target[:3], self.position[:3]) or abs(extruded)
        self.velocity = self.feedrate / 60.0 * self.speed_factor
        self.position = target
        await self._move_for(distance / self.velocity if self.velocity else 0.0)

    cmd_G0 = cmd_G1

    async def _move_for(self, seconds: float) -> None:
        self._owed += seconds
        self._busy_until = self.clock() + self._owed
        while self._owed >= 0.05 * self.hardware.speed:
            step = min(self._owed, 0.25 * self.hardware.speed)
            self._owed -= step
            await self.wait(step)

    async def cmd_G28(self, p: dict[str, str], line: str) -> None:
        axes = [axis for axis in "XYZ" if axis in p] or list("XYZ")
        await self.finish_moves()
        self._busy_until = self.clock() + 2.0 * len(axes)
        await self.wait(2.0 * len(axes))
        for axis in axes:
            self.position["XYZ".index(axis)] = 0.0
        self.homed = "".join(a for a in "xyz" if a in self.homed or a.upper() in axes)

    async def cmd_G4(self, p: dict[str, str], line: str) -> None:
        await self.finish_moves()
        await self.wait(number(p.get("P", "0"), line) / 1000.0 + number(p.get("S", "0"), line))

    async def cmd_M400(self, p: dict[str, str], line: str) -> None:
        await self.finish_moves()

    def cmd_G90(self, p: dict[str, str], line: str) -> None:
        self.absolute = True

    def cmd_G91(self, p: dict[str, str], line: str) -> None:
        self.absolute = False

    def cmd_M82(self, p: dict[str, str], line: str) -> None:
        self.absolute_extrude = True

    def cmd_M83(self, p: dict[str, str], line: str) -> None:
        self.absolute_extrude = False

    def cmd_G92(self, p: dict[str, str], line: str) -> None:
        for index, axis in enumerate("XYZE"):
            if axis in p or not p:
                self.position[index] = number(p.get(axis, "0"), line)

    def cmd_M220(self, p: dict[str, str], line: str) -> None:
        self.speed_factor = number(p.get("S", "100"), line) / 100.0

    def cmd_M221(self, p: dict[str, str], line: str) -> None:
        self.extrude_factor = number(p.get("S", "100"), line) / 100.0

    # Heat

    def _heat(self, heater: Heater, p: dict[str, str], line: str) -> None:
        target = number(p.get("S", "0"), line)
        if target > heater.maximum:
            raise GCodeError(f"Requested temperature ({target:.1f}) out of range (0.0:{heater.maximum:.1f})")
        heater.advance(self.clock())
        heater.target = target

    async def _heat_and_wait(self, heater: Heater, p: dict[str, str], line: str) -> None:
        await self.finish_moves()
        self._heat(heater, p, line)
        reported = -1e9
        while heater.target > 0 and not heater.reached:
            if time.monotonic() - reported >= 1.0:
                reported = time.monotonic()
                self.respond(self.temperatures())
            await self._wait_real(0.1)
            heater.advance(self.clock())

    def temperatures(self) -> str:
        e, b = self.hardware.extruder, self.hardware.bed
        return f"B:{b.temperature:.1f} /{b.target:.1f} T0:{e.temperature:.1f} /{e.target:.1f}"

    def cmd_M104(self, p: dict[str, str], line: str) -> None:
        self._heat(self.hardware.extruder, p, line)

    async def cmd_M109(self, p: dict[str, str], line: str) -> None:
        await self._heat_and_wait(self.hardware.extruder, p, line)

    def cmd_M140(self, p: dict[str, str], line: str) -> None:
        self._heat(self.hardware.bed, p, line)

    async def cmd_M190(self, p: dict[str, str], line: str) -> None:
        await self._heat_and_wait(self.hardware.bed, p, line)

    def cmd_TURN_OFF_HEATERS(self, p: dict[str, str], line: str) -> None:
        self._heat(self.hardware.extruder, {}, line)
        self._heat(self.hardware.bed, {}, line)

    def cmd_M105(self, p: dict[str, str], line: str) -> None:
        self.respond(self.temperatures())

    def cmd_M106(self, p: dict[str, str], line: str) -> None:
        self.fan = min(1.0, number(p.get("S", "255"), line) / 255.0)

    def cmd_M107(self, p: dict[str, str], line: str) -> None:
        self.fan = 0.0

    # Job

    def cmd_SDCARD_PRINT_FILE(self, p: dict[str, str], line: str) -> None:
        if self.sdcard.active:
            raise GCodeError("SD busy")
        self.sdcard.load(p.get("FILENAME", ""))
        self.sdcard.resume()

    def cmd_SDCARD_RESET_FILE(self, p: dict[str, str], line: str) -> None:
        self.sdcard.reset()

    async def cmd_PAUSE(self, p: dict[str, str], line: str) -> None:
        await self.sdcard.pause()
        self.is_paused = True

    def cmd_RESUME(self, p: dict[str, str], line: str) -> None:
        if not self.is_paused:
            self.respond("// Print is not paused, resume aborted")
            return
        self.is_paused = False
        if self.sdcard.path is not None:
            self.sdcard.resume()

    async def cmd_CANCEL_PRINT(self, p: dict[str, str], line: str) -> None:
        await self.sdcard.cancel()
        self.is_paused = False
        self.cmd_TURN_OFF_HEATERS({}, line)

    def cmd_CLEAR_PAUSE(self, p: dict[str, str], line: str) -> None:
        self.is_paused = False

    def cmd_SET_PRINT_STATS_INFO(self, p: dict[str, str], line: str) -> None:
        if "TOTAL_LAYER" in p:
            self.print_stats.total_layer = int(p["TOTAL_LAYER"])
            self.print_stats.current_layer = self.print_stats.current_layer or 0
        if "CURRENT_LAYER" in p and self.print_stats.total_layer:
            self.print_stats.current_layer = min(int(p["CURRENT_LAYER"]), self.print_stats.total_layer)

    def cmd_M73(self, p: dict[str, str], line: str) -> None:
        if "P" in p:
            self.m73 = (min(1.0, max(0.0, number(p["P"], line) / 100.0)), time.monotonic())

    def cmd_M117(self, p: dict[str, str], line: str) -> None:
        self.message = line[4:].strip() or None

    # Host

    def cmd_M112(self, p: dict[str, str], line: str) -> None:
        self.shut_down("Shutdown due to M112 command")

    def cmd_M115(self, p: dict[str, str], line: str) -> None:
        self.respond("FIRMWARE_VERSION:v0.13.0-simulated FIRMWARE_NAME:Klipper")

    def cmd_STATUS(self, p: dict[str, str], line: str) -> None:
        self.respond(f"// Klipper state: {self.state.capitalize()}")

    async def cmd_RESTART(self, p: dict[str, str], line: str) -> None:
        self._request_restart()
        await asyncio.Event().wait()  # the connection closes before an answer

    cmd_FIRMWARE_RESTART = cmd_RESTART

    def cmd_RESPOND(self, p: dict[str, str], line: str) -> None:
        prefix = {"error": "!! ", "command": "// "}.get(p.get("TYPE", "").lower(), "echo: ")
        self.respond(prefix + p.get("MSG", ""))

    def cmd_CALL_REMOTE_METHOD(self, p: dict[str, str], line: str) -> None:
        """Stands for a macro with `action_call_remote_method(METHOD, ...)`."""
        arguments = {key.lower(): value for key, value in p.items() if key != "METHOD"}
        try:
            self._call_remote(p.get("METHOD", ""), arguments)
        except KeyError as missing:
            raise GCodeError(f"Remote method '{p.get('METHOD', '')}' not registered") from missing

    # Objects

    def objects(self) -> list[str]:
        """Names as `objects/list` gives them in the present state."""
        return list(self._readers())

    def status(self, name: str, eventtime: float) -> Status | None:
        """The object's fields, with the test's overrides and omissions; None for an unknown object."""
        reader = self._readers().get(name)
        if reader is None:
            return None
        fields = dict(reader(eventtime))
        fields.update(self.hardware.overrides.get(name, {}))
        for key in self.hardware.dropped.get(name, ()):
            fields.pop(key, None)
        return fields

    def _readers(self) -> dict[str, Callable[[float], Status]]:
        early: dict[str, Callable[[float], Status]] = {
            "gcode": lambda _: {"commands": {}},
            "webhooks": lambda _: {"state": self.state, "state_message": self.state_message},
        }
        if self.state == "startup":
            return early
        early["configfile"] = lambda _: self._configfile()
        if self.state == "error":
            return early
        readers = early | {
            "mcu": self._mcu,
            "gcode_move": lambda _: self._gcode_move(),
            "print_stats": lambda _: self.print_stats.status(),
            "virtual_sdcard": lambda _: self.sdcard.status(),
            "pause_resume": lambda _: {"is_paused": self.is_paused},
            "display_status": lambda _: self._display_status(),
            "exclude_object": lambda _: {"objects": [], "excluded_objects": [], "current_object": None},
            "heaters": lambda _: self._heaters(),
            "extruder": lambda _: self._extruder(),
            "fan": lambda _: {"speed": self.fan, "rpm": None},
            "heater_fan hotend_fan": lambda _: {
                "speed": 1.0 if self.hardware.extruder.temperature > 50 else 0.0,
                "rpm": None,
            },
            "temperature_sensor chamber": lambda _: self._chamber(),
            "filament_switch_sensor runout": lambda _: {
                "filament_detected": self.filament_detected,
                "enabled": True,
            },
            "output_pin caselight": lambda _: {"value": 0.0},
            "toolhead": lambda _: self._toolhead(),
            "motion_report": lambda _: self._motion_report(),
            "idle_timeout": lambda _: self._idle_timeout(),
            "system_stats": lambda _: self._system_stats(),
            "query_endstops": lambda _: {"last_query": {}},
        }
        if self.hardware.has_bed:
            readers["heater_bed"] = lambda _: self._heater(self.hardware.bed)
        for macro in MACROS:
            readers[f"gcode_macro {macro}"] = lambda _: {}
        return readers

    def _heater(self, heater: Heater) -> Status:
        heater.advance(self.clock())
        noise = self.hardware.random.choice((-0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03))
        return {
            "temperature": round(heater.temperature + noise, 2),
            "target": heater.target,
            "power": heater.power,
        }

    def _extruder(self) -> Status:
        fields = self._heater(self.hardware.extruder)
        return fields | {
            "can_extrude": self.hardware.extruder.temperature >= MIN_EXTRUDE_TEMPERATURE,
            "pressure_advance": 0.04,
            "smooth_time": 0.04,
            "motion_queue": "extruder",
        }

    def _chamber(self) -> Status:
        noise = self.hardware.random.choice((-0.02, 0.0, 0.02))
        value = round(self.chamber + noise, 2)
        return {"temperature": value, "measured_min_temp": 21.5, "measured_max_temp": round(self.chamber + 1, 2)}

    def _heaters(self) -> Status:
        heaters = ["extruder"] + (["heater_bed"] if self.hardware.has_bed else [])
        return {
            "available_heaters": heaters,
            "available_sensors": [*heaters, "temperature_sensor chamber"],
            "available_monitors": [],
        }

    def _toolhead(self) -> Status:
        estimated = self.clock()
        return {
            "homed_axes": self.homed,
            "axis_minimum": AXIS_MINIMUM,
            "axis_maximum": AXIS_MAXIMUM,
            "print_time": max(self._busy_until, 0.25),
            "stalls": 0,
            "estimated_print_time": estimated,
            "extruder": "extruder",
            "position": [round(value, 6) for value in self.position],
            "max_velocity": 300.0,
            "max_accel": 3000.0,
            "minimum_cruise_ratio": 0.5,
            "square_corner_velocity": 5.0,
        }

    def _gcode_move(self) -> Status:
        position = [round(value, 6) for value in self.position]
        return {
            "speed_factor": self.speed_factor,
            "speed": self.feedrate,
            "extrude_factor": self.extrude_factor,
            "absolute_coordinates": self.absolute,
            "absolute_extrude": self.absolute_extrude,
            "homing_origin": [0.0, 0.0, 0.0, 0.0],
            "position": position,
            "gcode_position": position,
        }

    def _motion_report(self) -> Status:
        return {
            "live_position": [round(value, 6) for value in self.position],
            "live_velocity": self.velocity,
            "live_extruder_velocity": 0.0,
            "steppers": ["extruder", "stepper_x", "stepper_y", "stepper_z"],
            "trapq": ["extruder", "toolhead"],
        }

    def _display_status(self) -> Status:
        progress = self.sdcard.status()["progress"]
        if self.m73 and time.monotonic() - self.m73[1] < 5.0:
            progress = self.m73[0]
        return {"progress": progress, "message": self.message}

    def _idle_timeout(self) -> Status:
        if self._queue.locked() or self.sdcard.active:
            return {"state": "Printing", "printing_time": self.clock()}
        ready = time.monotonic() - self._last_gcode < 600
        return {"state": "Ready" if ready else "Idle", "printing_time": 0.0}

    def _system_stats(self) -> Status:
        second = int(time.monotonic())
        return {"sysload": 0.2 + second % 10 / 100, "cputime": float(second), "memavail": 500000 - second % 100}

    def _mcu(self, eventtime: float) -> Status:
        return {
            "mcu_version": "v0.13.0-simulated",
            "mcu_build_versions": "gcc: simulated",
            "mcu_constants": {"CLOCK_FREQ": 16000000, "MCU": "simulated"},
            "last_stats": {"mcu_awake": 0.002, "bytes_read": int(eventtime * 100)},
        }

    def _configfile(self) -> Status:
        settings = {
            "printer": {"kinematics": "cartesian", "max_velocity": 300.0, "max_accel": 3000.0},
            "extruder": {"min_temp": 0.0, "max_temp": self.hardware.extruder.maximum, "min_extrude_temp": 170.0},
            "virtual_sdcard": {"path": str(self.hardware.gcodes)},
            "pause_resume": {},
            "display_status": {},
        }
        if self.hardware.has_bed:
            settings["heater_bed"] = {"min_temp": 0.0, "max_temp": self.hardware.bed.maximum}
        config = {name: {key: str(value) for key, value in body.items()} for name, body in settings.items()}
        return {
            "config": config,
            "settings": settings,
            "warnings": [],
            "save_config_pending": False,
            "save_config_pending_items": {},
        }


ALWAYS = {"M105", "M112", "M115", "RESTART", "FIRMWARE_RESTART", "STATUS"}
"""Commands that Klipper takes in every state."""


def number(text: str, line: str) -> float:
    """A G-code parameter as a number; Klipper's kind of error otherwise."""
    try:
        value = float(text)
    except ValueError:
        raise GCodeError(f"Error on '{line}': unable to parse {text}") from None
    if not math.isfinite(value):
        raise GCodeError(f"Error on '{line}': unable to parse {text}")
    return value


def parse_line(line: str) -> tuple[str, dict[str, str]]:
    """Split `G1 X10 F3000` or `NAME KEY="a b"` into the command word and its parameters."""
    word, _, rest = line.partition(" ")
    word = word.upper()
    if len(word) > 1 and word[0] in "GMT" and word[1:].replace(".", "").isdigit():
        return word, {part[0].upper(): part[1:] for part in rest.split()} if word != "M117" else {}
    try:
        parts = shlex.split(rest)
    except ValueError:
        raise GCodeError(f"Malformed command '{line}'") from None
    pairs = (part.partition("=") for part in parts)
    return word, {key.upper(): value for key, _, value in pairs}
