"""A TCP proxy that stands before Moonraker and spoils what it is told to.

Each connection takes the next plan of `plans`; with none left it passes everything through:

- `Inject(data, after)`: after the WebSocket handshake and `after` seconds, send `data` to the client
  as if Moonraker had, then close (or stay open and silent with `hold`).
- `Answer(data)`: answer the handshake with `data`, then close.
- `Silence()`: accept, answer nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass


@dataclass
class Inject:
    """Bytes in the middle of a good connection."""

    data: bytes
    after: float = 0.5
    hold: bool = False


@dataclass
class Answer:
    """Something else than a handshake's answer."""

    data: bytes


@dataclass
class Silence:
    """Accepted, never answered."""


Plan = Inject | Answer | Silence


class FlakyProxy:
    """Listens on a loopback port; `connections` counts what came, `delay` holds up what Moonraker says, in seconds."""

    def __init__(self, port: int, target: int, plans: list[Plan] | None = None) -> None:
        self.port = port
        self.target = target
        self.plans = plans or []
        self.connections = 0
        self.delay = 0.0
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(client)
            plan = self.plans.pop(0) if self.plans else None
            threading.Thread(target=self._serve, args=(client, plan), daemon=True).start()

    def _serve(self, client: socket.socket, plan: Plan | None) -> None:
        if isinstance(plan, Silence):
            return
        if isinstance(plan, Answer):
            client.recv(65536)
            with contextlib.suppress(OSError):
                client.sendall(plan.data)
                client.shutdown(socket.SHUT_WR)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        self._sockets.append(server)
        silenced = threading.Event()
        threading.Thread(target=self._pump, args=(client, server, threading.Event()), daemon=True).start()
        threading.Thread(target=self._pump, args=(server, client, silenced), daemon=True).start()
        if plan is not None:
            time.sleep(plan.after)
            silenced.set()
            time.sleep(0.05)
            with contextlib.suppress(OSError):
                client.sendall(plan.data)
                if not plan.hold:
                    client.shutdown(socket.SHUT_RDWR)

    def _pump(self, source: socket.socket, sink: socket.socket, silenced: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if sink.getpeername()[1] != self.target:
                    time.sleep(self.delay)
                if not silenced.is_set():
                    sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def frame(payload: bytes, opcode: int = 1, final: bool = True, length: int | None = None) -> bytes:
    """A server's WebSocket frame; `length` announces another length than there is."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if final else 0) | opcode])
    if size < 126:
        return head + bytes([size]) + payload
    if size < 65536:
        return head + b"\x7e" + size.to_bytes(2, "big") + payload
    return head + b"\x7f" + size.to_bytes(8, "big") + payload


__all__ = ["Answer", "FlakyProxy", "Inject", "Silence", "frame"]
