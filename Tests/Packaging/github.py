"""GitHub's releases, as far as installers and Moonraker's update manager ask for them.

    github.py FOLDER CERTIFICATE KEY

`FOLDER/<tag>/` holds a release's files, `FOLDER/latest` the tag of the latest. Which requests came is in
`FOLDER/requests`. It runs inside a root whose /etc/hosts points api.github.com and github.com at it.
"""

from __future__ import annotations

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])


def facts(repository: str, tag: str) -> dict[str, object]:
    """What the API says of a release; the archive is its first file."""
    files = sorted((FOLDER / tag).iterdir(), key=lambda path: (path.suffix != ".zip", path.name))
    return {
        "name": tag,
        "tag_name": tag,
        "prerelease": False,
        "assets": [
            {
                "name": path.name,
                "size": path.stat().st_size,
                "content_type": "application/zip" if path.suffix == ".zip" else "application/octet-stream",
                "browser_download_url": f"https://github.com/{repository}/releases/download/{tag}/{path.name}",
            }
            for path in files
        ],
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with (FOLDER / "requests").open("a") as log:
            log.write(f"{self.headers['Host']}{self.path}\n")
        content = self.answer(self.path.partition("?")[0].strip("/").split("/"))
        self.send_response(200 if content is not None else 404)
        content = content or b"{}"
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def answer(self, parts: list[str]) -> bytes | None:
        latest = (FOLDER / "latest").read_text().strip()
        match parts:
            case ["repos", owner, name, "releases", "latest"]:
                return json.dumps(facts(f"{owner}/{name}", latest)).encode()
            case ["repos", owner, name, "releases"]:
                # As the real one: in the order in which they came, the last first.
                tags = sorted(
                    (path for path in FOLDER.iterdir() if path.is_dir()), key=lambda path: -path.stat().st_ctime
                )
                return json.dumps([facts(f"{owner}/{name}", path.name) for path in tags]).encode()
            case ["repos", owner, name, "releases", "tags", tag] if (FOLDER / tag).is_dir():
                return json.dumps(facts(f"{owner}/{name}", tag)).encode()
            case [_, _, "releases", "download", tag, file] if (FOLDER / tag / file).is_file():
                return (FOLDER / tag / file).read_bytes()
            case [_, _, "releases", "latest", "download", file] if (FOLDER / latest / file).is_file():
                return (FOLDER / latest / file).read_bytes()
        return None

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 443), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
