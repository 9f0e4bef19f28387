"""A reader of server-sent events, as slow or as sudden as a test wants it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from typing import Any

from harness import wait_until


class EventStream:
    """One stream: the events so far, read on a thread of its own."""

    def __init__(self, port: int, path: str = "/api/events", **fields: str) -> None:
        self.events: list[tuple[str, Any]] = []
        self.ended = threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", path, headers={key.replace("_", "-"): value for key, value in fields.items()})
        self.response = self._connection.getresponse()
        self.status = self.response.status
        if self.status == 200:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        name = ""
        try:
            while line := self.response.readline():
                key, _, value = line.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    self.events.append((name, json.loads(value)))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass
        self.ended.set()

    def of(self, name: str) -> list[Any]:
        """The bodies of the events of this name."""
        return [body for event, body in list(self.events) if event == name]

    def wait_for(self, name: str, where: Any = lambda body: True, timeout: float = 10.0, after: int = 0) -> Any:
        """The first body of this name, behind the first `after` events, for which `where` holds."""
        return wait_until(
            lambda: next(((body,) for event, body in list(self.events)[after:] if event == name and where(body)), None),
            timeout,
            f"an event {name}",
        )[0]

    def close(self) -> None:
        """Leave without a word."""
        sock = self._connection.sock or getattr(getattr(self.response.fp, "raw", None), "_sock", None)
        if sock:
            sock.close() if not hasattr(sock, "shutdown") else self._shut(sock)
        self._connection.close()

    @staticmethod
    def _shut(sock: socket.socket) -> None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def silent_reader(port: int) -> socket.socket:
    """A reader that asks for the stream and then takes nothing more from its socket."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(0.1)
    return sock
