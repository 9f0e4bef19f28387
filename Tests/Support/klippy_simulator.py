"""Klippy's Unix-socket API in front of a `SimulatedPrinter`, and a control socket for tests.

Moonraker connects to `--socket` and speaks JSON objects that end with byte 0x03. Tests connect to
`--control` and speak one JSON object per line: `{"op": "state"}` gives `{"ok": true, ...}`.

Run: `klippy_simulator.py --socket PATH --control PATH --gcodes DIR [--speed 10] [--start ready]`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from simulated_printer import GCodeError, Hardware, SimulatedPrinter

TICK = 0.25
END = b"\x03"
LIMIT = 8 * 1024 * 1024
STARTUP_MESSAGE = "Printer is not ready\nThe klippy host software is attempting to connect.\n"
ERROR_MESSAGE = "mcu 'mcu': Unable to connect\nUse FIRMWARE_RESTART once the cause is removed.\nPrinter is halted\n"
BASE_ENDPOINTS = [
    "list_endpoints",
    "info",
    "emergency_stop",
    "register_remote_method",
    "objects/list",
    "objects/query",
    "objects/subscribe",
    "gcode/help",
    "gcode/script",
    "gcode/restart",
    "gcode/firmware_restart",
    "gcode/subscribe_output",
]
READY_ENDPOINTS = [
    "pause_resume/pause",
    "pause_resume/resume",
    "pause_resume/cancel",
    "query_endstops/status",
]


class Refused(Exception):
    """A request that Klippy answers with an error."""


class Client:
    """One connection from Moonraker: its subscription and its way back."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.subscription: dict[str, list[str] | None] = {}
        self.template: dict[str, Any] = {}
        self.last: dict[str, dict[str, Any]] = {}
        self.gcode_template: dict[str, Any] | None = None
        self.remote_methods: dict[str, dict[str, Any]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def send(self, message: dict[str, Any]) -> None:
        with suppress(Exception):
            self.writer.write(json.dumps(message).encode() + END)

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.writer.close()


class KlippySimulator:
    """The host process: sockets, lives of the printer, restarts, and the test's control."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.path = Path(arguments.socket)
        self.control_path = Path(arguments.control)
        self.startup_seconds: float = arguments.startup_seconds
        self.away_seconds: float = arguments.away_seconds
        self.hardware = Hardware(
            gcodes=Path(arguments.gcodes).resolve(),
            speed=arguments.speed,
            has_bed=not arguments.no_bed,
            random=random.Random(arguments.seed),
        )
        self.clients: set[Client] = set()
        self.pending: list[tuple[asyncio.Future[dict[str, Any]], dict[str, list[str] | None]]] = []
        self.thawed = asyncio.Event()
        self.thawed.set()
        self.server: asyncio.AbstractServer | None = None
        self.printer: SimulatedPrinter
        self.next_outcome = (arguments.start, None)
        self.restarting: asyncio.Task[None] | None = None
        self.forgotten_methods: set[str] = set()  # registered in this life by a client that has gone

    # Lives

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        control = await self._listen(self.control_path, self._serve_control)
        await self._begin()
        ticker = asyncio.create_task(self._tick_forever())
        await stop.wait()
        ticker.cancel()
        control.close()
        await self._finish()
        self.control_path.unlink(missing_ok=True)

    async def _listen(self, path: Path, serve: Any) -> asyncio.AbstractServer:
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        return await asyncio.start_unix_server(serve, sock=listener, limit=LIMIT)

    async def _begin(self) -> None:
        self.forgotten_methods.clear()
        self.printer = SimulatedPrinter(self.hardware, self._broadcast_gcode, self._call_remote, self.restart)
        self.printer.become("startup", STARTUP_MESSAGE)
        self.printer.spawn(self._start_up(self.printer))
        self.server = await self._listen(self.path, self._serve)

    async def _start_up(self, printer: SimulatedPrinter) -> None:
        outcome, message = self.next_outcome
        self.next_outcome = ("ready", None)
        await asyncio.sleep(self.startup_seconds)
        if outcome == "error":
            printer.become("error", message or ERROR_MESSAGE)
        elif outcome == "shutdown":
            printer.become("ready", "Printer is ready")
            printer.shut_down(message or "MCU 'mcu' shutdown: Timer too close")
        elif outcome == "ready":
            printer.become("ready", "Printer is ready")

    async def _finish(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None
        for client in list(self.clients):
            client.close()
        self.clients.clear()
        for future, _ in self.pending:
            future.cancel()
        self.pending.clear()
        await self.printer.end()
        self.path.unlink(missing_ok=True)

    def restart(self, away: float | None = None) -> None:
        """Close the socket as a restart of Klippy does, and come back after `away` seconds."""
        if self.restarting is not None and not self.restarting.done():
            return

        async def cycle() -> None:
            self.hardware.note("restart")
            await asyncio.sleep(0.01)
            await self._finish()
            await asyncio.sleep(self.away_seconds if away is None else away)
            await self._begin()

        self.restarting = asyncio.create_task(cycle())

    # Klippy's API

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(writer)
        self.clients.add(client)
        try:
            while True:
                data = await reader.readuntil(END)
                await self.thawed.wait()
                task = asyncio.create_task(self._answer(client, data[:-1]))
                client.tasks.add(task)
                task.add_done_callback(client.tasks.discard)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            self.clients.discard(client)
            self.forgotten_methods.update(client.remote_methods)
            client.close()

    async def _answer(self, client: Client, data: bytes) -> None:
        try:
            request = json.loads(data)
            method, params = request["method"], request.get("params", {})
        except (ValueError, KeyError, TypeError):
            self.hardware.note("bad_request", data=data[:200].decode("utf-8", "replace"))
            return
        answer: dict[str, Any]
        try:
            answer = {"result": await self._request(client, method, params)}
        except (Refused, GCodeError) as error:
            answer = {"error": {"error": "WebRequestError", "message": str(error)}}
        await self.thawed.wait()
        if request.get("id") is not None:
            client.send({"id": request["id"], **answer})

    def endpoints(self) -> list[str]:
        """What the present state offers."""
        return BASE_ENDPOINTS + (READY_ENDPOINTS if self.printer.state in ("ready", "shutdown") else [])

    async def _request(self, client: Client, method: str, params: dict[str, Any]) -> Any:
        printer = self.printer
        if method not in self.endpoints():
            raise Refused(f"webhooks: No registered callback for path '{method}'")
        if method == "list_endpoints":
            return {"endpoints": self.endpoints()}
        if method == "info":
            return self._info()
        if method == "emergency_stop":
            self.hardware.note("emergency_stop")
            printer.shut_down("Shutdown due to webhooks request")
            return {}
        if method == "register_remote_method":
            client.remote_methods[params["remote_method"]] = params["response_template"]
            return {}
        if method == "objects/list":
            return {"objects": printer.objects()}
        if method == "objects/query":
            return await self._query(params["objects"])
        if method == "objects/subscribe":
            return await self._subscribe(client, params)
        if method == "gcode/subscribe_output":
            client.gcode_template = params.get("response_template", {})
            return {}
        if method == "gcode/help":
            return {
                name: f"{name} of the simulated printer"
                for name in sorted(printer.commands)
                if "_" in name or name == "RESPOND"
            }
        if method == "query_endstops/status":
            return {"x": "open", "y": "open", "z": "TRIGGERED" if printer.position[2] <= 0 else "open"}
        scripts = {
            "gcode/script": params.get("script", ""),
            "gcode/restart": "RESTART",
            "gcode/firmware_restart": "FIRMWARE_RESTART",
            "pause_resume/pause": "PAUSE",
            "pause_resume/resume": "RESUME",
            "pause_resume/cancel": "CANCEL_PRINT",
        }
        self.hardware.note("request", method=method, script=scripts[method])  # here, though its turn may come late
        await printer.run_script(scripts[method], source=method)
        return {}

    def _info(self) -> dict[str, Any]:
        return {
            "state": self.printer.state,
            "state_message": self.printer.state_message,
            "hostname": "simulated-printer",
            "klipper_path": "/home/pi/klipper",
            "python_path": "/home/pi/klippy-env/bin/python",
            "process_id": os.getpid(),
            "user_id": os.getuid(),
            "group_id": os.getgid(),
            "log_file": "/home/pi/printer_data/logs/klippy.log",
            "config_file": "/home/pi/printer_data/config/printer.cfg",
            "software_version": "v0.13.0-simulated",
            "cpu_info": "1 core simulated",
        }

    async def _query(self, objects: dict[str, list[str] | None]) -> dict[str, Any]:
        """As Klipper: with a subscription running, a query waits for the next tick."""
        if not any(client.subscription for client in self.clients):
            return self._compute(objects)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.pending.append((future, objects))
        return await future

    async def _subscribe(self, client: Client, params: dict[str, Any]) -> dict[str, Any]:
        objects = params.get("objects", {})
        result = await self._query(objects)
        client.subscription = objects
        client.template = params.get("response_template", {})
        client.last = result["status"]
        return result

    def _compute(self, objects: dict[str, list[str] | None], cache: dict[str, Any] | None = None) -> dict[str, Any]:
        """The full answer to a query; `cache` shares the objects' values within one tick."""
        eventtime = time.monotonic()
        cache = {} if cache is None else cache
        status: dict[str, dict[str, Any]] = {}
        for name, fields in objects.items():
            if name not in cache:
                cache[name] = self.printer.status(name, eventtime) or {}
            values = cache[name]
            status[name] = {key: values.get(key) for key in (values if fields is None else fields)}
        return {"eventtime": eventtime, "status": status}

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            await self.thawed.wait()
            cache: dict[str, Any] = {}
            pending, self.pending = self.pending, []
            for future, objects in pending:
                if not future.done():
                    future.set_result(self._compute(objects, cache))
            for client in list(self.clients):
                if client.subscription:
                    self._push(client, cache)

    def _push(self, client: Client, cache: dict[str, Any]) -> None:
        result = self._compute(client.subscription, cache)
        seen = result["status"]
        changed: dict[str, dict[str, Any]] = {}
        for name, values in seen.items():
            last = client.last.get(name, {})
            news = {key: value for key, value in values.items() if key not in last or last[key] != value}
            if news:
                changed[name] = news
        client.last = seen
        if changed:
            client.send({**client.template, "params": {"eventtime": result["eventtime"], "status": changed}})

    def _broadcast_gcode(self, text: str) -> None:
        for client in self.clients:
            if client.gcode_template is not None:
                client.send({**client.gcode_template, "params": {"response": text}})

    def _call_remote(self, method: str, arguments: dict[str, str]) -> None:
        holders = [client for client in self.clients if method in client.remote_methods]
        if not holders and method not in self.forgotten_methods:
            raise KeyError(method)
        for client in holders:
            client.send({**client.remote_methods[method], "params": arguments})

    # The test's control

    async def _serve_control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                try:
                    order = json.loads(line)
                    operation = getattr(self, f"op_{order.pop('op')}")
                    result = operation(**order)
                    if asyncio.iscoroutine(result):
                        result = await result
                    answer = {"ok": True, **(result or {})}
                except Exception as error:
                    answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    def op_state(self) -> dict[str, Any]:
        """The printer's truth: Klippy's state and all objects."""
        now = time.monotonic()
        objects = {
            name: self.printer.status(name, now)
            for name in self.printer.objects()
            if name not in ("configfile", "gcode")
        }
        return {"state": self.printer.state, "objects": objects, "clients": len(self.clients), "mono": now}

    def op_journal(self, after: int = 0) -> dict[str, Any]:
        """What the printer really did, from the entry after number `after`."""
        return {"entries": [entry for entry in self.hardware.journal if entry["seq"] > after]}

    async def op_gcode(self, script: str) -> dict[str, Any]:
        """Run G-code as a person at the printer would; waits for it."""
        await self.printer.run_script(script, source="control")
        return {}

    def op_set(self, object: str, fields: dict[str, Any]) -> None:
        """Override fields of an object until `unset`."""
        self.hardware.overrides.setdefault(object, {}).update(fields)

    def op_unset(self, object: str | None = None) -> None:
        """Take overrides and omissions back, of one object or of all."""
        for table in (self.hardware.overrides, self.hardware.dropped):
            table.pop(object, None) if object else table.clear()

    def op_drop(self, object: str, field: str) -> None:
        """Leave a field out of an object's status."""
        self.hardware.dropped.setdefault(object, set()).add(field)

    def op_remote(self, method: str, arguments: dict[str, str] | None = None) -> None:
        """Call an agent's method at once, as a macro on another thread of Klipper's would."""
        self._call_remote(method, arguments or {})

    def op_filament(self, detected: bool) -> None:
        self.printer.filament_detected = detected

    def op_speed(self, speed: float) -> None:
        """Change the speed; takes effect at the next restart for clocks that already run."""
        self.hardware.speed = speed

    def op_shutdown(self, message: str = "MCU 'mcu' shutdown: Timer too close") -> None:
        self.printer.shut_down(message)

    def op_next_start(self, outcome: str, message: str | None = None) -> None:
        """How the next start ends: `ready`, `error`, `shutdown`, or `hang` (stays in `startup`)."""
        if outcome not in ("ready", "error", "shutdown", "hang"):
            raise ValueError(outcome)
        self.next_outcome = (outcome, message)

    def op_restart(self, away: float | None = None) -> None:
        """Klippy's service restarts; its socket is gone for `away` seconds."""
        self.restart(away)

    def op_freeze(self) -> None:
        """Answer nothing and push nothing until `thaw`; the sockets stay open."""
        self.thawed.clear()

    def op_thaw(self) -> None:
        self.thawed.set()

    def op_crash(self) -> None:
        """Die at once, without closing anything in good order."""
        os._exit(70)

    def op_slow(self, command: str, seconds: float) -> None:
        """Let a G-code word take that many real seconds longer; 0 takes it back."""
        if seconds > 0:
            self.hardware.slow[command] = seconds
        else:
            self.hardware.slow.pop(command, None)

    def op_fail(self, command: str, message: str, times: int | None = 1) -> None:
        """Let a G-code word fail, `times` times (None: for ever)."""
        self.hardware.failing[command] = [message, times]

    def op_raw(self, text: str, end: bool = True) -> None:
        """Send raw text to Moonraker in place of a message."""
        for client in self.clients:
            client.writer.write(text.encode("utf-8", "surrogateescape") + (END if end else b""))

    def op_clients(self) -> dict[str, Any]:
        """What Moonraker subscribed to and registered."""
        return {
            "clients": [
                {"subscription": client.subscription, "remote_methods": sorted(client.remote_methods)}
                for client in self.clients
            ]
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--socket", required=True, help="Klippy's API socket (Moonraker's klippy_uds_address)")
    parser.add_argument("--control", required=True, help="control socket for tests")
    parser.add_argument("--gcodes", required=True, help="folder of the virtual SD card")
    parser.add_argument("--speed", type=float, default=1.0, help="printer seconds per host second")
    parser.add_argument("--start", default="ready", choices=["ready", "error", "shutdown", "hang"])
    parser.add_argument("--startup-seconds", type=float, default=0.5, help="how long `startup` lasts")
    parser.add_argument("--away-seconds", type=float, default=0.3, help="how long the socket is gone in a restart")
    parser.add_argument("--seed", type=int, default=20260101, help="seed of the temperature noise")
    parser.add_argument("--no-bed", action="store_true", help="a printer without a heated bed")
    arguments = parser.parse_args()
    try:
        asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        sys.exit(130)


async def _run(arguments: argparse.Namespace) -> None:
    await KlippySimulator(arguments).run()


if __name__ == "__main__":
    main()
