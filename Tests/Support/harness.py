"""The rig: simulated printer, real Moonraker, test clouds and the daemon, each in its own process.

    with Rig() as rig:
        rig.start_printer(speed=20)
        rig.start_moonraker()
        rig.start_clouds()
        rig.start_daemon()
        rig.reach.wait_for("printer-data")

Everything lives in one folder below `.build/rigs/`, listens on free loopback ports, and is ended by
process id. A process that the test forgets dies with the test (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import hashlib
import itertools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml

from nursery import PROGRAMS, Child, nursery

SUPPORT = Path(__file__).resolve().parent
ROOT = SUPPORT.parents[1]
BUILD = ROOT / ".build"
DEFAULT_BINARY = BUILD / "debug" / "printer-uplink"
SCRIPTED_BINARY = "printer-uplink-scripted"
PATIENCE = float(os.environ.get("TEST_PATIENCE", "1.0"))
"""So many times slower than usual the daemon may be: under a sanitizer."""
T = TypeVar("T")

_libc = ctypes.CDLL(None, use_errno=True)
_ports = itertools.count()


def die_with_parent() -> None:
    """Ask the kernel to kill this child when the test process goes away."""
    end_with_parent(signal.SIGKILL)


def end_with_parent(number: int) -> None:
    """Ask the kernel to send this child a signal when its parent goes away."""
    _libc.prctl(1, number)


def free_port() -> int:
    """A free loopback port below the ephemeral range, so that no outgoing connection takes it.

    Each of several runners has a range of its own: what it has chosen and not yet opened, no other one chooses.
    """
    worker = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or os.getpid()) % 20
    base = os.getpid() * 97
    for offset in itertools.islice(_ports, 2000):
        port = 10007 + worker * 1087 + (base + offset * 7) % 1087
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def wait_until(
    condition: Callable[[], T], timeout: float = 10.0, what: str = "the condition", interval: float = 0.02
) -> T:
    """Wait until the condition gives something true, and return that; AssertionError after `timeout` s."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout:g} s (last: {value!r})")
        time.sleep(interval)


class QuietServer(ThreadingHTTPServer):
    """A small web server in the test's process; a client that goes away is no news."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class ManagedProcess:
    """A child process with its output in a file."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.output = folder / f"{name}.log"
        self.inherits = False  # writes to our own output instead of a file
        self.child: subprocess.Popen[bytes] | Child | None = None

    def launch(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        """Start the process; its output is appended to `NAME.log`. The environment is ours if None."""
        assert not self.running, f"{self.name} runs already"
        with self.output.open("ab") as log:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=None if self.inherits else log,
                stderr=None if self.inherits else subprocess.STDOUT,
                cwd=self.output.parent,
                env=environment,
                preexec_fn=die_with_parent,
                start_new_session=True,  # Ctrl-C is for us; we end the others in order
            )

    def launch_program(
        self, name: str, arguments: list[str], environment: dict[str, str] | None = None, prefix: Iterable[str] = ()
    ) -> None:
        """Start a Python program of the nursery's, and as `launch`; with a `prefix` it is run under that command."""
        prefix = list(prefix)
        if not self.inherits and not prefix and name in PROGRAMS:
            assert not self.running, f"{self.name} runs already"
            folder = self.output.parent
            self.child = nursery.start([name, *arguments], folder, environment or dict(os.environ), self.output)
            return
        program = [str(SUPPORT / name)] if name.endswith(".py") else ["-m", name]
        self.launch([*prefix, sys.executable, *program, *arguments], environment)

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    @property
    def exit_status(self) -> int | None:
        """As Popen.returncode: negative for a signal; None while it runs."""
        return self.child.poll() if self.child else None

    def signal(self, number: int) -> None:
        if self.running:
            os.kill(self.pid, number)

    def freeze(self) -> None:
        """Stop it with SIGSTOP: sockets stay open, nothing is answered."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it without a goodbye (SIGKILL)."""
        if self.child is not None:
            self.signal(signal.SIGKILL)
            self.child.wait()
            # What it has started itself: Moonraker's reading of a file outlives it.
            with suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)

    def terminate(self, timeout: float = 10.0) -> float:
        """End it with SIGTERM; returns the seconds it took. Kills it, and fails, after `timeout` s."""
        if not self.running:
            return 0.0
        begin = time.monotonic()
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        assert self.child is not None
        try:
            self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout:g} s of SIGTERM") from None
        return time.monotonic() - begin

    def text(self) -> str:
        """Everything it wrote so far."""
        return self.output.read_text("utf-8", "replace") if self.output.exists() else ""

    def lines(self, containing: str) -> list[str]:
        """Lines of its output with that text in them, whatever the case."""
        return [line for line in self.text().splitlines() if containing.lower() in line.lower()]


class Printer:
    """The simulated printer: Klippy's API socket, and what the test does to it."""

    def __init__(self, folder: Path, gcodes: Path, disturbed: Callable[[], None]) -> None:
        self.socket = folder / "klippy.sock"
        self.gcodes = gcodes
        self.process = ManagedProcess("klippy", folder)
        self._control = folder / "klippy-control.sock"
        self._disturbed = disturbed
        self._arguments: list[str] = []

    def start(self, *options: str, speed: float = 1.0, start: str = "ready") -> None:
        """Start the simulator; `options` as in `klippy_simulator.py --help`."""
        self._arguments = ["--speed", str(speed), "--start", start, *options]
        self._launch()

    def _launch(self) -> None:
        options = ["--socket", str(self.socket), "--control", str(self._control), "--gcodes", str(self.gcodes)]
        self.process.launch_program("klippy_simulator.py", [*options, *self._arguments])
        wait_until(self._answers, 10, "the simulator's control socket")

    def _answers(self) -> bool:
        assert self.process.running, f"the simulator ended: {self.process.text()[-2000:]}"
        try:
            self.state()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        self._disturbed()
        self.process.kill()

    def restart_process(self) -> None:
        """Kill the simulator and start it anew; its journal begins anew as well."""
        self.kill()
        self._launch()
        self._disturbed()

    def order(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """An order over the control socket: `op_…` of `klippy_simulator.py`."""
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(120)
            channel.connect(str(self._control))
            channel.sendall(json.dumps({"op": operation, **arguments}).encode() + b"\n")
            with channel.makefile("rb") as reader:
                answer = json.loads(reader.readline())
        if not answer.pop("ok"):
            raise AssertionError(f"printer refused {operation}: {answer['error']}")
        return answer

    def state(self) -> dict[str, Any]:
        """The printer's truth now: `state`, `objects`."""
        return self.order("state")

    def object(self, name: str) -> dict[str, Any]:
        return self.state()["objects"][name]

    @property
    def print_state(self) -> str:
        return self.object("print_stats")["state"]

    def wait_for_print_state(self, state: str, timeout: float = 30.0) -> None:
        wait_until(lambda: self.print_state == state, timeout, f"print_stats.state {state}", 0.05)

    def wait_for_state(self, state: str, timeout: float = 10.0) -> None:
        wait_until(lambda: self.state()["state"] == state, timeout, f"Klippy {state}", 0.05)

    def journal(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What the printer really did: entries `gcode`, `print_state`, `state`, `restart`, `emergency_stop`."""
        entries = self.order("journal")["entries"]
        return [entry for entry in entries if kind in (None, entry["kind"])]

    def gcode_lines(self, source: str | None = None) -> list[str]:
        """Every G-code line that reached the printer, in order; without the file's own by `source`."""
        return [entry["line"] for entry in self.journal("gcode") if source in (None, entry["source"])]

    def executed(self, line: str) -> int:
        """How often a line of G-code began at the printer, from wherever it came."""
        return self.gcode_lines().count(line)

    def requests(self, method: str | None = None) -> list[dict[str, Any]]:
        """Scripts as they reached Klippy, before their turn: entries with `method`, `script` and `mono`."""
        return [entry for entry in self.journal("request") if method in (None, entry["method"])]

    def starts(self, filename: str) -> int:
        """How often a job with that file was started by whomever."""
        lines = [entry["script"] for entry in self.requests("gcode/script")]
        return len([line for line in lines if line.startswith("SDCARD_PRINT_FILE") and f'"{filename}"' in line])

    def slow(self, word: str, seconds: float) -> None:
        """Let a G-code word take that many seconds of real time; 0 takes it back."""
        self.order("slow", command=word, seconds=seconds)

    def gcode(self, script: str) -> None:
        """G-code as a person at the printer enters it."""
        self.order("gcode", script=script)

    def restart(self, away: float | None = None, outcome: str = "ready", message: str | None = None) -> None:
        """Klippy restarts by itself (service restart) and ends up in `outcome`."""
        self._disturbed()
        self.order("next_start", outcome=outcome, message=message)
        self.order("restart", away=away)

    def shut_down(self, message: str = "MCU 'mcu' shutdown: Timer too close") -> None:
        self.order("shutdown", message=message)

    def freeze(self) -> None:
        self._disturbed()
        self.order("freeze")

    def thaw(self) -> None:
        self._disturbed()
        self.order("thaw")


class MoonrakerError(Exception):
    """A JSON-RPC error of Moonraker."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class MoonrakerClient:
    """A frontend's connection over Moonraker's Unix socket: calls, and the notifications that came."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._answers: dict[int, dict[str, Any]] = {}
        self._arrived = threading.Condition()
        self._ids = itertools.count(1)
        self._closed = False
        self.notifications: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            buffer += data
            *messages, buffer = buffer.split(b"\x03")
            with self._arrived:
                for raw in messages:
                    message = json.loads(raw)
                    if "method" in message:
                        self.notifications.append(message)
                    else:
                        self._answers[message.get("id")] = message
                self._arrived.notify_all()
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        """Call and wait; raises MoonrakerError."""
        return self.result(self.send(method, **params), timeout)

    def send(self, method: str, /, **params: Any) -> int:
        """Call without waiting; `result(id)` waits."""
        number = next(self._ids)
        message = {"jsonrpc": "2.0", "method": method, "params": params, "id": number}
        self._socket.sendall(json.dumps(message).encode() + b"\x03")
        return number

    def result(self, number: int, timeout: float = 60.0) -> Any:
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: self._closed or number in self._answers, timeout)
            if not arrived or number not in self._answers:
                raise ConnectionError("Moonraker did not answer")
            answer = self._answers.pop(number)
        if "error" in answer:
            raise MoonrakerError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def notified(self, method: str) -> list[dict[str, Any]]:
        return [note for note in self.notifications if note["method"] == method]

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Moonraker:
    """The real Moonraker on a data folder of its own."""

    def __init__(self, folder: Path, klippy: Path, disturbed: Callable[[], None]) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self.process = ManagedProcess("moonraker", folder)
        self.unix_socket = self.data / "comms" / "moonraker.sock"
        self._klippy = klippy
        self._disturbed = disturbed
        self._clients: list[MoonrakerClient] = []
        self._prefix: list[str] = []
        self._options: list[str] = []
        for name in ("config", "gcodes", "logs", "comms", "database"):
            (self.data / name).mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def gcodes(self) -> Path:
        return self.data / "gcodes"

    def start(
        self,
        trusted: bool = True,
        extra: str = "",
        wait: bool = True,
        host: str = "127.0.0.1",
        prefix: list[str] | None = None,
        verbose: bool = False,
    ) -> None:
        """Start it.

        - trusted: else clients over TCP need the API key (the Unix socket never does).
        - extra: more of moonraker.conf.
        - prefix: a command to run it under, such as `ip netns exec NAME`.
        - verbose: its log names every endpoint that it registers.
        """
        trust = "127.0.0.0/8" if trusted else "192.0.2.77"
        self._prefix = prefix or []
        self._options = ["--verbose"] if verbose else []
        (self.data / "config" / "moonraker.conf").write_text(
            f"[server]\nhost: {host}\nport: {self.port}\nklippy_uds_address: {self._klippy}\n\n"
            f"[authorization]\ntrusted_clients:\n  {trust}\n\n"
            "[machine]\nprovider: none\nvalidate_service: False\n\n"
            "[announcements]\ndev_mode: True\n\n"  # the feeds are on the internet
            f"[history]\n\n{extra}\n"
        )
        self.relaunch(wait)

    def relaunch(self, wait: bool = True) -> None:
        """Start it with the configuration it had."""
        # Never the user's ~/printer_data; and uploads on their way have names by the second, which two rigs would share.
        temporary = self.data / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {**os.environ, "HOME": str(self.data.parent), "TMPDIR": str(temporary)}
        options = ["--datapath", str(self.data), "--nologfile", *self._options]
        self.process.launch_program("moonraker", options, environment, self._prefix)
        if wait:
            self.wait_listening()

    def wait_listening(self, timeout: float = 30.0) -> None:
        """Wait until it answers."""

        def listening() -> bool:
            assert self.process.running, f"Moonraker ended: {self.process.text()[-3000:]}"
            with suppress(OSError, ConnectionError):
                return bool(self.call("server.info", 5))
            return False

        wait_until(listening, timeout, "Moonraker", 0.05)

    def wait_for_klippy(self, state: str = "ready", timeout: float = 20.0) -> None:
        """Wait until Moonraker says that Klippy has reached the state."""

        def reached() -> bool:
            with suppress(OSError, ConnectionError):
                return self.call("server.info", timeout=5)["klippy_state"] == state
            return False

        wait_until(reached, timeout, f"klippy_state {state}", 0.1)

    def client(self) -> MoonrakerClient:
        """A new connection, as a frontend has one; closed with the rig."""
        client = MoonrakerClient(self.unix_socket)
        self._clients.append(client)
        return client

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        """One call over a connection of its own."""
        client = MoonrakerClient(self.unix_socket)
        try:
            return client.call(method, timeout, **params)
        finally:
            client.close()

    def api_key(self) -> str:
        return self.call("access.get_api_key")

    def stop(self) -> None:
        """End it in good order."""
        self._disturbed()
        self.process.terminate(20)

    def kill(self) -> None:
        self._disturbed()
        self.process.kill()

    def restart(self) -> None:
        self.stop()
        self.relaunch()
        self._disturbed()

    def freeze(self) -> None:
        self._disturbed()
        self.process.freeze()

    def thaw(self) -> None:
        self._disturbed()
        self.process.thaw()

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.process.kill()


class Cloud:
    """A strict test cloud in its own process: killed, frozen and started again on the same port."""

    def __init__(self, kind: str, script: str, folder: Path) -> None:
        self.kind = kind
        self.port = free_port()
        self.control_port = free_port()
        self.log = folder / kind
        self.process = ManagedProcess(kind, folder)
        self._script = script
        self._state_file = folder / f"{kind}.state.json"
        self._options: list[str] = []
        self._scheme = "http"
        self.host = "127.0.0.1"  # the name by which the daemon knows it
        self._read_position = 0
        self._records: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.host}:{self.port}"

    def start(self, *options: str, certificate: tuple[Path, Path] | None = None) -> None:
        """Start it; `options` as in `SCRIPT --help`; `certificate` is (chain, key) in PEM for TLS."""
        self._options = list(options)
        self._options += self.further_options()
        if certificate is not None:
            self._options += ["--certificate", str(certificate[0]), "--key", str(certificate[1])]
            self._scheme, self.host = "https", "localhost"
        self.relaunch()

    def further_options(self) -> list[str]:
        """What this kind of cloud is always started with."""
        return []

    def relaunch(self) -> None:
        """Start it with the options and the state that it had."""
        options = ["--port", str(self.port), "--control-port", str(self.control_port)]
        options += ["--state", str(self._state_file), "--log", str(self.log)]
        self.process.launch_program(self._script, [*options, *self._options])
        wait_until(self._answers, 15, f"the {self.kind} cloud", 0.05)

    def _answers(self) -> bool:
        assert self.process.running, f"{self.kind} ended: {self.process.text()[-2000:]}"
        with suppress(OSError):
            self.control("GET", "state")
            return True
        return False

    def kill(self) -> None:
        self.process.kill()

    def restart(self) -> None:
        self.kill()
        self.relaunch()

    # Orders

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """An order on the control port."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.control_port}/_control/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def fault(self, endpoint: str, action: str, count: int | None = 1, **details: Any) -> None:
        """Misbehave for the next `count` requests (None: until `clear_faults`): `Fault` of `strict_cloud.py`."""
        self.control("POST", "fault", {"endpoint": endpoint, "action": action, "count": count, **details})

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def set(self, **values: Any) -> None:
        """Change the cloud's state: see its `fresh_state`."""
        self.control("POST", "set", values)

    def order(self, name: str, /, **arguments: Any) -> Any:
        return self.control("POST", f"order/{name}", arguments)

    def disturbed(self) -> None:
        """Something was done to the rig: what is late now is excused."""
        if self.process.running:
            with suppress(OSError):
                self.control("POST", "disturbed")

    def client_restarted(self) -> None:
        """The daemon starts anew: intervals begin anew."""
        if self.process.running:
            with suppress(OSError):
                self.control("POST", "restarted")

    # What it saw

    def records(self, endpoint: str | None = None, after: float = 0.0) -> list[dict[str, Any]]:
        """Requests so far, over all lives of the cloud; `after` is a monotonic time."""
        path = self.log / "exchanges.jsonl"
        if path.exists():
            with path.open("rb") as file:
                file.seek(self._read_position)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._records.append(json.loads(line))
                    self._read_position += len(line)
        return [r for r in self._records if endpoint in (None, r["endpoint"]) and r["mono"] > after]

    def wait_for(
        self,
        endpoint: str,
        timeout: float = 15.0,
        after: float = 0.0,
        where: Callable[[dict[str, Any]], bool] = lambda record: True,
        count: int = 1,
    ) -> dict[str, Any]:
        """Wait for the `count`-th request to an endpoint that satisfies `where`; returns its record."""

        def found() -> dict[str, Any] | None:
            matching = [record for record in self.records(endpoint, after) if where(record)]
            return matching[count - 1] if len(matching) >= count else None

        record = wait_until(found, timeout, f"{self.kind}: {endpoint}", 0.03)
        assert record is not None
        return record

    def deviations(self) -> list[str]:
        """All deviations from the protocol, as text with their request."""
        return [f"{self.kind} #{r['seq']} {r['endpoint']}: {text}" for r in self.records() for text in r["deviations"]]


class PrintDockCloud(Cloud):
    """The PrintDock cloud, with what tests of commands, pictures and backups want of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__("printdock", "printdock_cloud.py", folder)
        self.other_port = free_port()  # of this host, and none of the cloud's as the daemon knows it
        self.printer_id = 262
        self._numbers = itertools.count(1001)

    def further_options(self) -> list[str]:
        return ["--further-port", str(self.other_port)]

    # Commands

    def command(
        self,
        action: str,
        *,
        id: str | int | None = None,
        printer_id: Any = None,
        params: Any = ...,
        **given: Any,
    ) -> str:
        """Queue a command; its id, as text. Parameters are keywords, or `params` as a whole (`...`: as keywords)."""
        number = next(self._numbers) if id is None else id
        printer = self.printer_id if printer_id is None else printer_id
        whole = given if params is ... else params
        self.order("command", id=number, printer_id=printer, action=action, params=whole)
        return str(number)

    def commands(self, *wanted: tuple[str, dict[str, Any]]) -> list[str]:
        """Queue several at once, so that they come in one answer."""
        elements = [
            {"id": next(self._numbers), "printer_id": self.printer_id, "action": action, "params": params}
            for action, params in wanted
        ]
        self.order("commands", elements=elements)
        return [str(element["id"]) for element in elements]

    def completions(self, number: str) -> list[dict[str, Any]]:
        """Every completion of a command that the cloud took in, whether or not the answer arrived."""
        path = f"/api/v1/commands/{urllib.parse.quote(number, safe='=')}/complete"
        processed = (None, "drop_after", "truncate", "slow", "delay")
        return [
            record
            for record in self.records("complete")
            if record["path"] == path and record["fault"] in processed and not record["deviations"]
        ]

    def completion(self, number: str, timeout: float = 20.0) -> dict[str, Any]:
        """The body of the first completion of a command."""
        return wait_until(lambda: self.completions(number), timeout, f"the completion of {number}", 0.03)[0]["body"]

    def carry_out(self, action: str, timeout: float = 20.0, **given: Any) -> dict[str, Any]:
        """Queue a command and wait for its completion."""
        return self.completion(self.command(action, **given), timeout)

    def handed_out(self, number: str) -> dict[str, Any] | None:
        """When and how often a command was handed out; None: not yet."""
        return self.control("GET", "state")["state"]["issued"].get(number)

    def wait_handed_out(self, number: str, timeout: float = 15.0, times: int = 1) -> float:
        """Wait until a command was handed out so often; the monotonic time of it."""

        def issue() -> dict[str, Any] | None:
            found = self.handed_out(number)
            return found if found is not None and found["times"] >= times else None

        found = wait_until(issue, timeout, f"command {number} handed out", 0.03)
        assert found is not None
        return found["mono"]

    # Pictures

    def ask_for_picture(self, *, id: str | int | None = None, printer_id: int | None = None) -> str:
        """A webcam request; its id, as text."""
        number = next(self._numbers) if id is None else id
        self.order("webcam", id=number, printer_id=self.printer_id if printer_id is None else printer_id)
        return str(number)

    def uploads(self, number: str) -> list[dict[str, Any]]:
        """The uploads to a webcam request."""
        path = f"/api/v1/webcam_requests/{number}/upload"
        return [record for record in self.records("upload") if record["path"] == path]

    def picture(self, number: str) -> bytes:
        """The bytes of the newest picture that came for a request."""
        return (self.log / f"picture-{number}").read_bytes()

    # Backups

    def presigned(self, name: str, scheme: str | None = None, host: str | None = None, port: int | None = None) -> str:
        """An address of the storage to put a backup to."""
        scheme = scheme or self._scheme
        host = host or self.host
        signature = hashlib.sha256(f"storage {name}".encode()).hexdigest()[:32]
        return f"{scheme}://{host}:{port or self.port}/_storage/{name}?expires=4102444800&signature={signature}"

    def stored(self, name: str) -> bytes | None:
        """What was put to the storage under a name."""
        path = self.log / f"stored-{name}"
        return path.read_bytes() if path.exists() else None


class PolarCloud(Cloud):
    """The Polar Cloud, with what tests of its jobs and pictures want of it."""

    email, pin = "maker@example.test", "1234"

    def __init__(self, folder: Path) -> None:
        super().__init__("polar", "polar_cloud.py", folder)
        self._jobs = itertools.count(0xAA01)

    def entry(self, **keys: Any) -> dict[str, Any]:
        """The daemon's entry for it, ready to register."""
        entry = {"type": "polar", "name": "polar", "server_url": self.url, "username": self.email, "pin": self.pin}
        return entry | {"printer_type": "Ender 3", "status_interval": 10, "webcam_enabled": False} | keys

    # What the cloud says

    def send(self, event: str, payload: Any = None, **details: Any) -> None:
        """Any event to the printer that is connected."""
        self.order("send", event=event, payload=payload, **details)

    def file(self, name: str, content: str = "", kind: str = "gcode", **options: Any) -> None:
        """What `/files/NAME` serves: `hostile` of `polar_cloud.py` has the kinds."""
        self.order("file", name=name, kind=kind, content=content, **options)

    def print(self, file: str = "cube.gcode", job: str | None = None, **order: Any) -> str:
        """Hand out a job; its id. `file` is a name below `/files/`, or a whole URL."""
        number = job if job is not None else f"5f3c0000000000000000{next(self._jobs):04x}"
        self.order("print", job=number, **{"jobName": "Calibration cube", "gcodeFile": file} | order)
        return number

    def end(self, how: str = "reset") -> None:
        """End the connection: `reset`, `close`, `engine` or `socketio`."""
        self.order("end", how=how)

    # What the printer said

    @property
    def serial(self) -> str:
        """The serial number of the one printer that is registered."""
        (serial,) = self.control("GET", "state")["state"]["printers"]
        return serial

    def wait_until_online(self, timeout: float = 20.0, after: float = 0.0) -> float:
        """Wait for a first status; the monotonic time of it."""
        return self.wait_for("status", timeout, after)["mono"]

    def wait_for_code(self, code: int, timeout: float = 30.0, after: float = 0.0, **facts: Any) -> dict[str, Any]:
        """Wait for a status with that code; its payload."""

        def fits(record: dict[str, Any]) -> bool:
            body = record["body"]
            return body.get("status") == code and all(body.get(key) == value for key, value in facts.items())

        return self.wait_for("status", timeout, after, fits)["body"]

    def reports(self, job: str) -> list[dict[str, Any]]:
        """The reports of a job's end."""
        return [record["body"] for record in self.records("job") if record["body"].get("jobId") == job]

    def report(self, job: str, timeout: float = 30.0) -> dict[str, Any]:
        """The first report of a job's end."""
        return wait_until(lambda: self.reports(job), timeout, f"the report of job {job}")[0]

    def codes(self, after: float = 0.0) -> list[int]:
        """The codes of all statuses, each once in a row."""
        codes = [record["body"]["status"] for record in self.records("status", after)]
        return [code for at, code in enumerate(codes) if at == 0 or codes[at - 1] != code]


class ReachCloud(Cloud):
    """The Reach relay, with what tests of commands want of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__("reach", "reach_relay.py", folder)
        self._numbers = itertools.count(1)

    def command(self, name: str, /, *, id: str | None = None, params: Any = ..., **given: Any) -> str:
        """Queue a command; its id. Parameters are keywords, or `params` as a whole; `method` and `query` are `__…`."""
        number = id or f"req-{next(self._numbers):04}"
        whole = {f"__{key}" if key in ("method", "query") else key: value for key, value in given.items()}
        self.order("command", requestId=number, command=name, params=whole if params is ... else params)
        return number

    def pushes(self, number: str) -> list[dict[str, Any]]:
        """Every push of a command's result that the relay took in, whether or not the answer arrived."""
        return [
            record
            for record in self.records("push")
            if isinstance(record["body"], dict)
            and record["body"].get("requestId") == number
            and record["fault"] in (None, "drop_after", "truncate", "slow", "delay")
            and record["status"] in (0, 200)
        ]

    def result(self, number: str, timeout: float = 20.0) -> dict[str, Any]:
        """The body of the first push of a command's result."""
        return wait_until(lambda: self.pushes(number), timeout, f"the result of {number}")[0]["body"]

    def carry_out(self, name: str, /, timeout: float = 20.0, **given: Any) -> dict[str, Any]:
        """Queue a command and wait for its result."""
        return self.result(self.command(name, **given), timeout)

    def dispatched(self) -> dict[str, Any]:
        """Every command that was handed out: `running`, or the body of its push."""
        return self.control("GET", "state")["state"]["dispatched"]


class PHPHub(Cloud):
    """The PHP hub of either generation: real PHP, its data on the disk, and what people do on its pages."""

    def __init__(self, folder: Path) -> None:
        super().__init__("php-hub", "php_hub.py", folder)
        self.php_port = free_port()
        self.root = folder / "php-hub-root"
        self.generation = "v1"
        self.token = "LAB_TEST_0001"
        self._numbers = itertools.count(1)
        self._session = ""

    def start(self, *options: str, certificate: tuple[Path, Path] | None = None, generation: str = "v1") -> None:
        """Start it with one generation, or with `v1,v2`; tests then speak to the first as its people."""
        self.generation = generation.split(",")[0]
        super().start("--generations", generation, "--token", self.token, *options, certificate=certificate)

    def further_options(self) -> list[str]:
        return ["--php-port", str(self.php_port), "--root", str(self.root)]

    def relaunch(self) -> None:
        super().relaunch()
        wait_until(lambda: self._listens(self.php_port), 10, "PHP", 0.02)

    @staticmethod
    def _listens(port: int) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    def kill(self) -> None:
        """End the judge, and PHP with it."""
        was_running = self.process.running
        super().kill()
        if was_running:
            wait_until(lambda: not self._listens(self.php_port), 10, "the end of PHP", 0.02)

    # Where it is

    @property
    def folder(self) -> Path:
        """The hub's scripts and data."""
        return self.root / "printerhub"

    @property
    def base(self) -> str:
        """The address of the hub's folder."""
        return f"{self.url}/printerhub"

    @property
    def server_url(self) -> str:
        """What a school's manual says to enter."""
        return self.base + ("/api.php" if self.generation == "v1" else "/printer-api/update.php")

    # The queue, as an operator of a patched hub fills it

    def queue(self, *commands: dict[str, Any] | tuple[str, str] | tuple[str, str, int]) -> list[str]:
        """Queue commands, so that they come in one answer; their ids as text.

        Generation 1: objects with `action` and parameters. Generation 2: `(type, command[, priority])`.
        """
        if self.generation == "v2":
            return [self._insert(*command) for command in commands if isinstance(command, tuple)]
        path = self.folder / "commands.json"
        waiting = json.loads(path.read_text() or "[]") if path.exists() else []
        added = []
        for command in commands:
            assert isinstance(command, dict)
            number = f"cmd_{os.getpid():06x}{next(self._numbers):07x}"
            added.append({"id": number, "token": self.token} | command | {"timestamp": self.stamp(command)})
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(waiting + added))
        temporary.replace(path)
        return [str(command["id"]) for command in added]

    @staticmethod
    def stamp(command: dict[str, Any]) -> Any:
        return command.get("timestamp", int(time.time()))

    def _insert(self, kind: str, command: str, priority: int = 5) -> str:
        values = (self.printer()["id"], kind, command, priority, int(time.time()))
        columns = "printer_id, command_type, command, priority, created_at"
        return str(self.sql(f"INSERT INTO commands ({columns}) VALUES (?, ?, ?, ?, ?)", *values))

    def command(self, action: str, /, **given: Any) -> str:
        """Queue one command of generation 1; its id."""
        return self.queue({"action": action, **given})[0]

    def replay(self, on: bool = True) -> None:
        """From now on what was fetched stays in the queue, and is handed out again and again."""
        if on:
            (self.folder / "replay").touch()
        else:
            (self.folder / "replay").unlink(missing_ok=True)

    def handed_out(self, number: str) -> dict[str, Any] | None:
        """A command that was handed out: `mono`, `times`, `seq` of the exchange."""
        return self.control("GET", "state")["state"]["handed_out"].get(number)

    def wait_handed_out(self, number: str, timeout: float = 10.0, times: int = 1) -> dict[str, Any]:
        """Wait until a command was handed out so often."""

        def issue() -> dict[str, Any] | None:
            found = self.handed_out(number)
            return found if found is not None and found["times"] >= times else None

        found = wait_until(issue, timeout, f"command {number} handed out", 0.03)
        assert found is not None
        return found

    def results(self) -> dict[str, dict[str, Any]]:
        """The end of each command that stood in an update that was accepted."""
        found: dict[str, dict[str, Any]] = {}
        for record in self.records("update"):
            taken = record["status"] == 200 and record["fault"] in (None, "delay", "slow", "prefix")
            if taken and isinstance(record["body"], dict):
                for result in record["body"].get("command_results", []):
                    if result["status"] != "running":
                        found[str(result["id"])] = result
        return found

    def result(self, number: str, timeout: float = 15.0) -> dict[str, Any]:
        """The result of a command, as an update told it."""
        return wait_until(lambda: self.results().get(number), timeout * PATIENCE, f"the result of {number}", 0.03)

    def carry_out(self, action: str, /, timeout: float = 15.0, **given: Any) -> dict[str, Any]:
        """Queue one command of generation 1 and wait for its result."""
        return self.result(self.command(action, **given), timeout)

    def carry_out_v2(self, kind: str, command: str, priority: int = 5, timeout: float = 15.0) -> dict[str, Any]:
        """Queue one command of generation 2 and wait for its result."""
        return self.result(self.queue((kind, command, priority))[0], timeout)

    # What it holds

    def printer(self, token: str | None = None) -> dict[str, Any]:
        """The printer as the hub has it; empty if it has none."""
        if self.generation == "v2":
            found = self.rows("SELECT * FROM printers WHERE token = ?", token or self.token)
        else:
            found = []
            for _ in range(20):  # it is written without locks
                with suppress(ValueError, OSError):
                    printers = json.loads((self.folder / "printers.json").read_text())
                    found = [each for each in printers if each["token"] == (token or self.token)]
                    break
                time.sleep(0.01)
        return found[0] if found else {}

    def wait_for_printer(self, timeout: float = 15.0, **expected: Any) -> dict[str, Any]:
        """Wait until the hub has the printer, with these values."""

        def there() -> dict[str, Any] | None:
            printer = self.printer()
            return printer if printer and all(printer.get(key) == value for key, value in expected.items()) else None

        found = wait_until(there, timeout, f"the hub's printer with {expected}", 0.05)
        assert found is not None
        return found

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the database of generation 2."""
        connection = sqlite3.connect(self.folder / "data" / "printerhub.db", timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()

    def sql(self, statement: str, *values: Any) -> int | None:
        """Change the database of generation 2; the id of the last new row."""
        connection = sqlite3.connect(self.folder / "data" / "printerhub.db", timeout=10)
        try:
            with connection:
                return connection.execute(statement, values).lastrowid
        finally:
            connection.close()

    # Its web pages

    def page(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """What a browser asks of PHP itself: status and answer. `body`: JSON, or (bytes, Content-Type)."""
        data, kind = body if isinstance(body, tuple) else (json.dumps(body).encode(), "application/json")
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.php_port}/printerhub/{path}",
            data=None if body is None else data,
            headers={"Content-Type": kind, "X-Session-Token": self._session} | (headers or {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def press(self, action: str, **values: Any) -> Any:
        """A button of the hub's page; its answer."""
        if self.generation == "v2":
            self.log_in()
            return self.page(f"api/commands.php?action={action}", {"printer_id": self.printer()["id"]} | values)[1]
        return self.page("api.php", {"printer_id": self.printer()["id"], "action": action} | values)[1]

    def log_in(self) -> None:
        """Log in at the pages of generation 2."""
        if not self._session:
            account = {"username": "admin", "password": "password"}
            self._session = self.page("api/auth.php?action=login", account)[1]["session"]["token"]

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload a file on the hub's page; the hub's record of it."""
        if self.generation == "v2":
            self.log_in()
            form = form_data({"printer_id": str(self.printer()["id"])}, "file", name, content)
            return self.page("api/files.php?action=upload", form)[1]["file"]
        fields = {"action": "upload_file", "printer_token": self.token, "uploaded_by": "admin"}
        return self.page("api_files.php", form_data(fields, "file", name, content))[1]["file"]


def form_data(fields: dict[str, str], name: str, filename: str, content: bytes) -> tuple[bytes, str]:
    """A form with a file, and its Content-Type."""
    boundary = "----------form-of-a-test"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class Daemon:
    """The daemon under test, with a folder of its own: it watches the one that its configuration lies in."""

    def __init__(self, folder: Path, binary: Path, restarted: Callable[[], None]) -> None:
        self.folder = folder / "daemon"
        self.folder.mkdir(exist_ok=True)
        self.binary = binary
        self.config = self.folder / "printer-uplink.yaml"
        self.state = self.folder / "state"
        self.port = free_port()
        self.process = ManagedProcess("daemon", folder)
        self.variables: dict[str, str] = {}  # environment variables that a test adds
        self.prefix: list[str] = []  # a command to run it under, such as `nsenter …`
        self._restarted = restarted

    def write(self, document: dict[str, Any] | str) -> None:
        """Write the configuration file: a document, or the very text."""
        text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
        temporary = self.config.with_suffix(".tmp")
        temporary.write_text(text)
        temporary.chmod(0o600)
        temporary.replace(self.config)  # a daemon that watches the file never sees half of it

    def environment(self) -> dict[str, str]:
        """Nothing of the developer's own environment reaches the daemon: no proxy, no CLOUD_URL, no HOME."""
        kept = {name: value for name, value in os.environ.items() if name.endswith(("SAN_OPTIONS", "LIBRARY_PATH"))}
        return kept | {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "NO_COLOR": "1"} | self.variables

    def start(self, *options: str) -> None:
        """Start `run` on the configuration file."""
        self._restarted()
        command = [*self.prefix, str(self.binary), "run", "--config", str(self.config), *options]
        self.process.launch(command, self.environment())

    def command(self, *arguments: str, timeout: float = 30.0, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of the binary to its end, with `given` on its standard input."""
        return subprocess.run(
            [str(self.binary), *arguments],
            input=given,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            preexec_fn=die_with_parent,
            check=False,
        )

    def change(self, document: dict[str, Any] | str) -> None:
        """Write another configuration beneath the running daemon, and send SIGHUP."""
        self._restarted()
        self.write(document)
        self.process.signal(signal.SIGHUP)

    def stop(self, timeout: float = 10.0) -> float:
        """SIGTERM; returns the seconds it took."""
        return self.process.terminate(timeout)

    def kill(self) -> None:
        """SIGKILL; what it had sent is taken in by the clouds before another one starts."""
        self.process.kill()
        self._restarted()

    def restart(self) -> None:
        self.kill()
        self.start()

    def get(self, path: str, timeout: float = 5.0) -> tuple[int, str]:
        """Fetch a page of the control server: status and text."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def log(self) -> str:
        return self.process.text()


class Rig:
    """All of it in one folder; parts are made at once and started when the test says so."""

    def __init__(self, folder: Path | None = None, binary: Path | None = None) -> None:
        (BUILD / "rigs").mkdir(parents=True, exist_ok=True)
        self._keep = folder is not None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="", dir=BUILD / "rigs"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.binary = binary or Path(os.environ.get("PRINTER_UPLINK", DEFAULT_BINARY))
        self.binary = self.binary if self.binary.is_absolute() else ROOT / self.binary
        self.moonraker = Moonraker(self.folder, self.folder / "klippy.sock", self.disturbed)
        self.printer = Printer(self.folder, self.moonraker.gcodes, self.disturbed)
        self.printdock = PrintDockCloud(self.folder)
        self.reach = ReachCloud(self.folder)
        self.polar = PolarCloud(self.folder)
        self.firebase = Cloud("firebase", "firebase_database.py", self.folder)
        self.php_hub = PHPHub(self.folder)
        self.daemon = Daemon(self.folder, self.binary, self._daemon_restarted)
        self.scripted: list[Any] = []  # far sides of scripted connectors
        self.cameras: list[Any] = []
        self._authority: Any = None
        self._intervals: tuple[int, int, float | None, float] = (2, 3, 2, 2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close(keep=failure[0] is not None)

    @property
    def clouds(self) -> list[Cloud]:
        return [self.printdock, self.reach]

    @property
    def far_sides(self) -> list[Cloud]:
        """The clouds, and what stands beside them."""
        return [*self.clouds, self.polar, self.firebase, self.php_hub]

    def disturbed(self) -> None:
        """Tell the clouds that something was done to the rig."""
        for cloud in self.far_sides:
            cloud.disturbed()

    def _daemon_restarted(self) -> None:
        for cloud in self.far_sides:
            cloud.client_restarted()

    def start_printer(self, speed: float = 20.0, moonraker: str = "", verbose: bool = False, **options: Any) -> None:
        """Printer and Moonraker (`moonraker`: more of its file), until it says ready (or what `start` asks for)."""
        self.printer.start(speed=speed, **options)
        self.moonraker.start(extra=moonraker, verbose=verbose)
        self.moonraker.wait_for_klippy(options.get("start", "ready"))

    def start_clouds(
        self,
        *options: str,
        heartbeat: int = 2,
        snapshots: int = 3,
        next_check_in: int = 5,
        commands: int = 1,
        telemetry: float | None = 2,
        telemetry_idle: float = 30,
        tls: bool = False,
    ) -> None:
        """Both clouds, at intervals that suit a test; `configuration()` gives the daemon the same.

        - options: passed on to both clouds.
        - telemetry: None leaves it out of the configuration: 10 s while printing, else 30 s.
        """
        certificate = self.certificate() if tls else None
        # An idle interval is never longer than a telemetry interval that is written down.
        idle = telemetry_idle if telemetry is None else min(telemetry, telemetry_idle)
        self._intervals = (heartbeat, snapshots, telemetry, idle)
        intervals = ["--heartbeat", str(heartbeat), "--snapshots", str(snapshots), "--commands", str(commands)]
        self.printdock.start(*intervals, *options, certificate=certificate)
        intervals = ["--telemetry", str(telemetry or 10), "--telemetry-idle", str(idle)]
        self.reach.start("--next-check-in", str(next_check_in), *intervals, *options, certificate=certificate)

    def configuration(self, **printer: Any) -> dict[str, Any]:
        """A configuration with both backends (Reach, then PrintDock), to be changed by the test before `daemon.write`."""
        heartbeat, snapshots, telemetry, telemetry_idle = self._intervals
        document: dict[str, Any] = {
            "version": 1,
            "printer": {"name": "Test printer", "moonraker": self.moonraker.url} | printer,
            "state_directory": str(self.daemon.state),
            "control": {"listen": f"127.0.0.1:{self.daemon.port}"},
            "log": {"level": "debug"},
            "backends": [
                {
                    "type": "reach",
                    "name": "reach",
                    "relay": self.reach.url,
                    "pairing_code": "PAIR-0001",
                    "telemetry_interval": telemetry,
                    "telemetry_idle_interval": telemetry_idle,
                },
                {
                    "type": "printdock",
                    "name": "printdock",
                    "cloud_url": self.printdock.url,
                    "pairing_token": "PAIR_dummy_1",
                    "site_name": "Test Lab",
                    "heartbeat_seconds": heartbeat,
                    "push_snapshots_seconds": snapshots,
                },
            ],
        }
        if telemetry is None:
            del document["backends"][0]["telemetry_interval"]
        document["backends"] += [cloud.entry(permissions="full") for cloud in self.scripted]
        if self._authority is not None:
            document["network"] = {"ca_file": str(self.folder / "ca.pem")}
        return document

    def add_scripted(self, *names: str) -> list[Any]:
        """Far sides of scripted connectors, and the binary that has this connector.

        Their entries stand in `configuration()`, with all permissions.
        """
        from scripted_cloud import ScriptedCloud

        self.binary = self.daemon.binary = self.binary.with_name(SCRIPTED_BINARY)
        assert self.binary.exists(), f"{self.binary} is missing: swift build --product {SCRIPTED_BINARY}"
        added = [ScriptedCloud(name) for name in names or ("scripted",)]
        self.scripted += added
        return added

    def add_camera(self) -> Any:
        """A camera; tell Moonraker of it with `start_printer(moonraker=camera.section())`."""
        from camera import Camera

        self.cameras.append(Camera())
        return self.cameras[-1]

    def start_daemon(self, **printer: Any) -> None:
        """The daemon with both backends, until both clouds have heard of it."""
        if not self.daemon.config.exists():
            self.daemon.write(self.configuration(**printer))
        begin = time.monotonic()
        self.daemon.start()
        if self.printdock.process.running:
            self.printdock.wait_for("heartbeat", after=begin)
        if self.reach.process.running:
            self.reach.wait_for("register", after=begin)
        for cloud in self.scripted:
            cloud.wait_for_contact()

    def certificate(self) -> tuple[Path, Path]:
        """A certificate for localhost by a test authority, whose own is `ca.pem` in the rig's folder."""
        import trustme

        if self._authority is None:
            self._authority = trustme.CA()
            self._authority.cert_pem.write_to_path(str(self.folder / "ca.pem"))
        issued = self._authority.issue_cert("localhost", "127.0.0.1")
        chain, key = self.folder / "localhost.pem", self.folder / "localhost.key"
        issued.private_key_pem.write_to_path(str(key))
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return chain, key

    def deviations(self) -> list[str]:
        """What both clouds have to complain about."""
        return [text for cloud in self.far_sides for text in cloud.deviations()]

    def parts(self) -> Iterable[ManagedProcess]:
        yield self.daemon.process
        for cloud in self.far_sides:
            yield cloud.process
        yield self.moonraker.process
        yield self.printer.process

    def close(self, keep: bool = False) -> None:
        """End everything; the folder stays after a failure, for the logs in it."""
        self.moonraker.close()
        for part in self.parts():
            part.kill()
        for server in (*self.scripted, *self.cameras):
            server.close()
        if not keep and not self._keep:
            shutil.rmtree(self.folder, ignore_errors=True)


__all__ = [
    "BUILD",
    "ROOT",
    "SUPPORT",
    "Cloud",
    "Daemon",
    "ManagedProcess",
    "Moonraker",
    "MoonrakerClient",
    "MoonrakerError",
    "PHPHub",
    "PolarCloud",
    "PrintDockCloud",
    "Printer",
    "QuietServer",
    "ReachCloud",
    "Rig",
    "free_port",
    "wait_until",
]
