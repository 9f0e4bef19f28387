"""Starts the rigs' Python programs from a process that has their libraries already.

Moonraker alone takes a third of a second of a core to import what it stands on, and a rig takes four such
programs. A copy of a process that has done so once (`fork`) takes a twentieth of it. What runs is the same: the
real Moonraker, the test clouds, the simulator, each in a process and a session of its own.

The nursery itself has one thread, opens nothing and knows nothing of any rig; it dies with the test process, and
its children with it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

SUPPORT = Path(__file__).resolve().parent
PROGRAMS = {
    "moonraker": "moonraker.server",
    "klippy_simulator.py": "klippy_simulator",
    "printdock_cloud.py": "printdock_cloud",
    "reach_relay.py": "reach_relay",
    "polar_cloud.py": "polar_cloud",
    "firebase_database.py": "firebase_database",
    "php_hub.py": "php_hub",
}
"""Programs by what the harness calls them, and the module whose `main()` each is."""
COMPONENTS = (
    "announcements authorization data_store database dbus_manager extensions history http_client job_queue job_state "
    "klippy_apis machine proc_stats shell_command template update_manager webcam file_manager file_manager.metadata "
    "file_manager.file_manager"
)
"""Moonraker's own, which it would import by name."""

_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """A program that the nursery started: what `subprocess.Popen` is to others, as far as the harness asks."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._text = b""
        self.returncode: int | None = None
        while b"\n" not in self._text and self._read():
            pass
        first, _, self._text = self._text.partition(b"\n")
        if not first:
            raise OSError("the nursery is gone")
        self.pid = int(first)

    def _read(self) -> bool:
        piece = self._channel.recv(64)
        self._text += piece
        return bool(piece)

    def poll(self) -> int | None:
        """The exit status as `Popen.returncode`; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises `subprocess.TimeoutExpired`."""
        with self._lock:
            if self.returncode is None:
                if not select.select([self._channel], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
                while self._read():
                    pass
                # A nursery that is gone has taken its children along.
                self.returncode = int(self._text or -signal.SIGKILL)
                self._channel.close()
            return self.returncode


class Nursery:
    """The process that has the libraries, seen from the tests; started when it is first asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def start(self, arguments: list[str], folder: Path, environment: dict[str, str], output: Path) -> Child:
        """Start `arguments`, a name of `PROGRAMS` and what follows it; what it writes is appended to `output`."""
        order = {"arguments": arguments, "folder": str(folder), "environment": environment, "output": str(output)}
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with there, self._lock:
            if self._socket is None:
                self._socket = self._begin()
            socket.send_fds(self._socket, [json.dumps(order).encode()], [there.fileno()])
        return Child(here)

    def _begin(self) -> socket.socket:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            subprocess.Popen(
                [sys.executable, str(SUPPORT / "nursery.py"), str(there.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[there.fileno()],
                preexec_fn=lambda: _libc.prctl(1, signal.SIGKILL),
                start_new_session=True,
            )
        return here


nursery = Nursery()


# In the nursery


def learn() -> None:
    """Import what the programs stand on."""
    sys.path[:0] = [str(SUPPORT)]
    for module in PROGRAMS.values():
        importlib.import_module(module)
    for component in COMPONENTS.split():
        importlib.import_module(f"moonraker.components.{component}")
    assert threading.active_count() == 1, "a library started a thread: no copy of this process would have it"
    gc.collect()
    gc.freeze()


def serve(orders: socket.socket) -> Callable[[], Any] | None:
    """Take orders. Returns in each child, with what it is to run; in the nursery itself, None when nobody asks any more."""
    children: dict[int, tuple[int, socket.socket]] = {}
    poll = select.poll()
    poll.register(orders, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != orders.fileno():
                poll.unregister(descriptor)
                pid, channel = children.pop(descriptor)
                os.close(descriptor)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with suppress(OSError):
                    channel.sendall(str(status).encode())
                channel.close()
                continue
            message, descriptors, _, _ = socket.recv_fds(orders, 1 << 20, 1)
            if not message:
                return None
            channel = socket.socket(fileno=descriptors[0])
            pid = os.fork()
            if pid == 0:
                channel.close()
                orders.close()
                for watched, (_, other) in children.items():
                    os.close(watched)
                    other.close()
                return become(json.loads(message))
            watched = os.pidfd_open(pid)
            children[watched] = (pid, channel)
            poll.register(watched, select.POLLIN)
            with suppress(OSError):
                channel.sendall(f"{pid}\n".encode())


def become(order: dict[str, Any]) -> Callable[[], Any]:
    """Turn this copy into the program that was asked for."""
    _libc.prctl(1, signal.SIGKILL)
    os.setsid()
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    output = os.open(order["output"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    random.seed()
    tempfile.tempdir = None
    name = order["arguments"][0]
    sys.argv = [name, *order["arguments"][1:]]
    main: Callable[[], Any] = importlib.import_module(PROGRAMS[name]).main
    return main


if __name__ == "__main__":
    learn()
    program = serve(socket.socket(fileno=int(sys.argv[1])))
    if program is not None:
        sys.exit(program())
