"""A camera of the test's own: one address each for what cameras do, good and bad, with a count of fetches.

| path | answer |
| --- | --- |
| `/webcam/?action=snapshot` | what `answer` says, a JPEG at first |
| `/jpeg`, `/png` | a picture |
| `/html` | 200 and a web page, as a single-page interface answers every path |
| `/lying` | `image/jpeg`, and a web page in it |
| `/large` | a JPEG of 12 MiB |
| `/hang` | nothing |
| `/cut` | half of a JPEG |
| all others | 404 |
"""

from __future__ import annotations

import io
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

from PIL import Image

from harness import QuietServer, free_port

PAGE = b"<!DOCTYPE html><html><head><title>Fluidd</title></head><body><div id='app'></div></body></html>"
LARGE = 12 * 1024 * 1024


def picture(kind: str = "JPEG", width: int = 640, height: int = 480) -> bytes:
    """A picture with a gradient: its corners tell how it was turned."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image.paste((220, 30, 30), (0, 0, width // 4, height // 4))
    data = io.BytesIO()
    image.save(data, kind)
    return data.getvalue()


def large_picture() -> bytes:
    """A JPEG that decoders take, 12 MiB long: comments fill it."""
    small = picture()
    comment = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
    return small[:2] + comment * (LARGE // len(comment)) + small[2:]


class Camera:
    """The camera's web server, in the test's process."""

    def __init__(self) -> None:
        self.port = free_port()
        self.answer = "jpeg"
        self.fetches: list[tuple[float, str]] = []  # monotonic time and path
        self.seconds = 0.0  # each answer takes so long
        self.jpeg = picture()
        camera = self

        class Handler(_Handler):
            owner = camera

        self._server = QuietServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def section(self, snapshot: str | None = None, **more: str) -> str:
        """A `[webcam]` section of moonraker.conf; without `snapshot` the camera's usual path."""
        lines = {
            "location": "printer",
            "service": "mjpegstreamer",
            "stream_url": f"{self.url}/webcam/?action=stream",
            "snapshot_url": snapshot or f"{self.url}/webcam/?action=snapshot",
            **more,
        }
        return "[webcam camera]\n" + "".join(f"{key}: {value}\n" for key, value in lines.items())

    def fetched(self, after: float = 0.0) -> int:
        """How often a picture was asked for."""
        return len([moment for moment, _ in self.fetches if moment > after])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: Camera
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        camera = self.owner
        camera.fetches.append((time.monotonic(), self.path))
        time.sleep(camera.seconds)
        name = camera.answer if self.path == "/webcam/?action=snapshot" else self.path.strip("/")
        match name:
            case "jpeg":
                self._send(200, "image/jpeg", camera.jpeg)
            case "png":
                self._send(200, "image/png", picture("PNG"))
            case "html":
                self._send(200, "text/html", PAGE)
            case "lying":
                self._send(200, "image/jpeg", PAGE)
            case "large":
                self._send(200, "image/jpeg", large_picture())
            case "cut":
                self._send(200, "image/jpeg", camera.jpeg[: len(camera.jpeg) // 2], len(camera.jpeg))
            case "hang":
                time.sleep(60)
            case _:
                self._send(404, "text/plain", b"no such picture")

    def _send(self, status: int, kind: str, data: bytes, length: int | None = None) -> None:
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data) if length is None else length))
            self.end_headers()
            self.wfile.write(data)
        if length is not None:
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Silent."""
