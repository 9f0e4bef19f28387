"""nginx on the port that Cura calls, with our snippet in a server block like those of Mainsail and Fluidd."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cura_client import CLUSTER, CuraClient, Variant, raw, ufp
from harness import ROOT, ManagedProcess, QuietServer, Rig, free_port, wait_until

from cura_printing import clear_bed, client, name, port_of, short_gcode, spool_files, start_cura, wait_for_job

SNIPPETS = ROOT / "config" / "nginx"
STOCK = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/www;
    client_max_body_size 50k;
    location / {{ try_files $uri /index.html; }}
    location ~ ^/(printer|api|access|machine|server)/ {{ proxy_pass http://127.0.0.1:{moonraker}; }}
    include {folder}/snippets/cura.conf;
  }}
}}
"""


class Web(BaseHTTPRequestHandler):
    """Stands for Moonraker behind the stock pattern."""

    def do_GET(self) -> None:
        body = b"moonraker"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy(rig: Rig, tmp_path: Path) -> Iterator[int]:
    """nginx in front of the daemon; its port."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is missing")
    start_cura(rig, speed=60)
    moonraker = QuietServer(("127.0.0.1", 0), Web)
    threading.Thread(target=moonraker.serve_forever, daemon=True).start()
    port = free_port()
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text("mainsail")
    snippets = tmp_path / "snippets"
    snippets.mkdir()
    for path in SNIPPETS.glob("*.conf"):
        text = path.read_text().replace("127.0.0.1:8008", f"127.0.0.1:{port_of(rig)}")
        (snippets / path.name).write_text(re.sub(r"include snippets/", f"include {snippets}/", text))
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(STOCK.format(folder=tmp_path, port=port, moonraker=moonraker.server_address[1]))
    subprocess.run(["nginx", "-t", "-q", "-c", str(configuration)], check=True, capture_output=True)
    nginx = ManagedProcess("nginx", rig.folder)
    nginx.launch(["nginx", "-c", str(configuration)])
    wait_until(lambda: reaches(port), 10, "nginx")
    yield port
    nginx.terminate()
    moonraker.shutdown()


def reaches(port: int) -> bool:
    try:
        return raw("127.0.0.1", port, b"GET / HTTP/1.0\r\n\r\n", 2).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def test_cura_works_through_nginx_and_the_web_interface_stays(rig: Rig, proxy: int) -> None:
    for variant in (Variant.CURA_4_13, Variant.CURA_5_11):
        with CuraClient("127.0.0.1", proxy, variant) as cura:
            cura.add_by_address()
            cura.poll()
            clear_bed(rig)
            job = name()
            # Larger than what the stock file lets through.
            assert cura.upload(f"{job}.ufp", ufp(short_gcode(20))).status in (200, 201)
            listed = wait_for_job(cura, job, "pre_print", "printing")
            assert cura.preview(listed["uuid"]).status == 200
            assert cura.abort(listed["uuid"]).status in (200, 202)
            wait_for_job(cura, job, "wait_cleanup")
            for path in ("/print_jobs", "/printers"):
                assert cura.browse(path).status == 200
            assert cura.deviations == []

    def get(path: str) -> bytes:
        return raw("127.0.0.1", proxy, f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode()).split(b"\r\n\r\n")[1]

    assert get("/") == b"mainsail"
    assert get("/anything") == b"mainsail"
    assert get("/api/version") == b"moonraker"
    assert get("/printer/info") == b"moonraker"


def test_the_camera_is_looked_for_where_cura_calls(rig: Rig, proxy: int) -> None:
    with client(rig) as cura:
        assert cura.printers()[0]["ip_address"] == "127.0.0.1"
    request = f"GET {CLUSTER}/printers HTTP/1.0\r\nHost: 192.168.7.9\r\n\r\n".encode()
    assert b'"192.168.7.9"' in raw("127.0.0.1", proxy, request)


def test_what_a_visitor_says_of_his_address_does_not_count(rig: Rig, proxy: int) -> None:
    line = f"GET {CLUSTER}/printers HTTP/1.0\r\nHost: 127.0.0.1\r\n"
    for extra in ("X-Forwarded-For: 8.8.8.8\r\n", "X-Real-IP: 8.8.8.8\r\nForwarded: for=8.8.8.8\r\n"):
        assert b" 200 " in raw("127.0.0.1", proxy, f"{line}{extra}\r\n".encode()).split(b"\r\n")[0]


def test_an_upload_streams_through_and_one_that_is_cut_leaves_nothing(rig: Rig, proxy: int, tmp_path: Path) -> None:
    with CuraClient("127.0.0.1", proxy) as cura:
        lines, body = cura.upload_bytes(f"{name()}.gcode", short_gcode(60))
        head = f"POST {CLUSTER}/print_jobs/ HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"
        import socket

        with socket.create_connection(("127.0.0.1", proxy)) as connection:
            connection.sendall(head.encode() + body[: len(body) // 2])
            wait_until(lambda: spool_files(rig), 10, "a part of the upload with us")
            # It went through piece by piece: nginx keeps none of it.
            assert not [path for path in (tmp_path / "body").rglob("*") if path.is_file()]
        wait_until(lambda: not spool_files(rig), 10, "an empty staging folder")
        time.sleep(0.2)
        assert cura.jobs() == []
