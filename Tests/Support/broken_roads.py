"""What stands on a bad road to a cloud: run within a network namespace, ends with the test.

    broken_roads.py tls CHAIN KEY         a cloud on port 443
    broken_roads.py honest CHAIN KEY      the same, and on port 80 the way there, with the time of day
    broken_roads.py portal CHAIN KEY      the login page of a hotel, on both ports
    broken_roads.py login                 a proxy on port 3128 that wants a password
    broken_roads.py refuse                one that lets nothing through
    broken_roads.py open CHAIN KEY        one that answers in place of the cloud
    broken_roads.py garbage               one that lets pass something else than TLS
    broken_roads.py silent                a cloud on port 443 that takes a connection and says nothing
    broken_roads.py web                   a web server on port 80

Prints `ready`.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

PROXY = 3128


class Cloud(BaseHTTPRequestHandler):
    """Nothing at `/`, as with most clouds; the time of day in every answer."""

    def do_GET(self) -> None:
        self.answer(404)

    def answer(self, status: int, location: str | None = None) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Way(Cloud):
    """Leads to the same host with TLS."""

    def do_GET(self) -> None:
        self.answer(301, f"https://{self.headers['Host'].split(':')[0]}/")


class Login(Cloud):
    """The login page of a hotel."""

    def do_GET(self) -> None:
        self.answer(302, "http://login.hotel.example/?mac=1")


class Server(ThreadingHTTPServer):
    """Without the look-up of its own name, for which nobody is there."""

    def server_bind(self) -> None:
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


def web(port: int, handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> None:
    server = Server(("0.0.0.0", port), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def proxy(after_connect: Callable[[socket.socket], None] | None, refusal: bytes) -> None:
    """A proxy that answers `CONNECT` with `refusal`, or 200 and what `after_connect` does then."""
    listener = socket.create_server(("0.0.0.0", PROXY))

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(4096)
                if not piece:
                    return
                head += piece
            if after_connect is None or not head.startswith(b"CONNECT"):
                connection.sendall(b"HTTP/1.1 " + refusal + b"\r\nContent-Length: 0\r\n\r\n")
                return
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            after_connect(connection)

    def accept() -> None:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main() -> None:
    mode, *files = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if files:
        context.load_cert_chain(*files)

    def impersonate(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(4096)

    def garble(connection: socket.socket) -> None:
        connection.sendall(b"this is no TLS at all\r\n" * 8)

    match mode:
        case "tls":
            web(443, Cloud, context)
        case "honest":
            web(443, Cloud, context)
            web(80, Way)
        case "portal":
            web(443, Login, context)
            web(80, Login)
        case "login":
            proxy(None, b"407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x")
        case "refuse":
            proxy(None, b"403 Forbidden")
        case "open":
            proxy(impersonate, b"400 Bad Request")
        case "garbage":
            proxy(garble, b"400 Bad Request")
        case "silent":
            listener = socket.create_server(("0.0.0.0", 443))
            kept = []
            threading.Thread(target=lambda: [kept.append(listener.accept()) for _ in range(99)], daemon=True).start()
        case "web":
            web(80, Cloud)
        case _:
            raise SystemExit(f"{mode}?")
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
