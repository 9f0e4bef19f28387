"""The Polar Cloud's page: by hand, in a browser, and behind the nginx of a printer's host."""

from __future__ import annotations

import http.client
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSER, Browser
from harness import ManagedProcess, Rig, free_port, wait_until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SNIPPET = Path(__file__).parents[2] / "config" / "nginx" / "polar.conf"


def ask(port: int, method: str, path: str, body: Any = None, **fields: str) -> tuple[int, dict[str, str], bytes]:
    """A request to the page, or to what stands before it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    data = None if body is None else json.dumps(body).encode()
    head = {"Content-Type": "application/json"} if data is not None else {}
    try:
        connection.request(method, path, data, head | {key.replace("_", "-"): value for key, value in fields.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def answers(port: int, path: str) -> bool:
    try:
        return ask(port, "GET", path)[0] == 200
    except OSError:
        return False


def status(port: int) -> dict[str, Any]:
    return json.loads(ask(port, "GET", "/printer/polar_cloud/status")[2])


@pytest.fixture
def page_rig(rig: Rig) -> Rig:
    """A printer that nobody has registered yet, with a control token, and the strict cloud."""
    rig.start_printer(speed=20)
    rig.polar.start("--status-interval", "10")
    keep = ("type", "name", "server_url", "status_interval")
    entry = {key: value for key, value in rig.polar.entry().items() if key in keep}
    entry["printer_makes_url"] = f"{rig.polar.url}/no-such-path"
    document = rig.configuration() | {"backends": [entry]}
    document["control"]["token_file"] = str(rig.folder / "control.token")
    rig.daemon.write(document)
    rig.daemon.start()
    wait_until(lambda: answers(rig.daemon.port, "/polar-cloud/"), 20, "the page")
    return rig


def token(rig: Rig) -> str:
    return (rig.folder / "control.token").read_text().strip()


def test_registering_by_hand(page_rig: Rig) -> None:
    """Register, a wrong PIN first; unregister; register again, without a restart of anything.

    The original connects without credentials too, twice a minute, keeps the PIN in a file that all may read, and does not
    tell the cloud when it is unregistered.
    """
    rig, port = page_rig, page_rig.daemon.port
    wait_until(lambda: rig.daemon.process.lines("parked: this printer is not registered"), 20, "parked")
    assert rig.polar.records("open") == []
    wrong = {"username": rig.polar.email, "pin": "9999"}
    assert ask(port, "POST", "/printer/polar_cloud/register", wrong)[0] == 200
    wait_until(lambda: "EMAIL_PIN_ERROR" in status(port)["last_error"], 20, "the refusal")
    right = {"username": rig.polar.email, "pin": rig.polar.pin, "printer_type": "Ender 3"}
    assert ask(port, "POST", "/printer/polar_cloud/register", right)[0] == 200
    rig.polar.wait_until_online()
    serial = wait_until(lambda: status(port)["authenticated"] and status(port)["serial_number"], 20, "online")
    assert serial == rig.polar.serial
    kept = "".join(path.read_text() for path in (rig.daemon.state / "identities").glob("*.json"))
    assert f'"{rig.polar.pin}"' not in kept
    assert rig.polar.pin not in json.dumps(status(port))
    assert ask(port, "POST", "/printer/polar_cloud/unregister", {})[0] == 200
    wait_until(lambda: not status(port)["registered"], 20, "unregistered")
    wait_until(lambda: rig.polar.records("unregister"), 20, "the cloud's knowledge of it")
    assert ask(port, "POST", "/printer/polar_cloud/register", right)[0] == 200
    wait_until(lambda: status(port)["authenticated"], 20, "online again")
    assert rig.polar.deviations() == []


def test_who_may_change_something(page_rig: Rig) -> None:
    """Other sites' pages, other machines without the token, other types of bodies: refused, and nothing changes."""
    port = page_rig.daemon.port
    change = {"printer_type": "Ender 3"}
    path = "/printer/polar_cloud/config"
    assert ask(port, "POST", path, change, Origin="http://evil.test")[0] == 403
    assert ask(port, "POST", path, change, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(port, "POST", path, change, X_Forwarded_For="192.0.2.7")[0] == 401
    assert (
        ask(port, "POST", path, change, X_Forwarded_For="192.0.2.7", Authorization="Bearer wrong-token-of-some-length")[
            0
        ]
        == 401
    )
    assert ask(port, "POST", path, change, Content_Type="text/plain")[0] == 415
    assert ask(port, "POST", path, change, Host="evil.test")[0] == 421
    form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": "http://evil.test"}
    assert ask(port, "POST", path, "printer_type=x", **form)[0] == 403
    assert ask(port, "POST", "/api/read-only", {"on": True}, Content_Type="application/x-www-form-urlencoded")[0] == 415
    assert status(port)["printer_type"] == "Cartesian"
    bearer = f"Bearer {token(page_rig)}"
    assert ask(port, "POST", path, change, X_Forwarded_For="192.0.2.7", Authorization=bearer)[0] == 200
    assert status(port)["printer_type"] == "Ender 3"
    seen = json.loads(ask(port, "GET", "/printer/polar_cloud/status", X_Forwarded_For="192.0.2.7")[2])
    assert seen["may_change"] is False


@pytest.fixture
def browser(page_rig: Rig) -> Iterator[Browser]:
    if BROWSER is None:
        pytest.skip("no chromium here")
    browser = Browser(page_rig.folder)
    try:
        yield browser
    finally:
        browser.close()


def test_in_a_browser(page_rig: Rig, browser: Browser) -> None:
    """A person registers: wrong PIN, right PIN, the cloud goes away. Every control has a name; nothing leaves the host."""
    rig = page_rig
    browser.open(f"http://127.0.0.1:{rig.daemon.port}/polar-cloud/")
    wait_until(lambda: browser.text("state") == "Not registered", 20, "the page's first look")
    names = browser.names()
    assert set(names) >= {
        "E-mail of your account",
        "PIN",
        "Manufacturer",
        "Kind of machine",
        "Make",
        "Send pictures of the camera",
        "Register",
        "Save settings",
    }, names
    assert browser.run("document.getElementById('locked').hidden")
    browser.click("register")
    assert browser.text("result") == "Enter the e-mail of your account."
    assert browser.run("document.activeElement.id") == "username", "the keyboard is where something is missing"
    browser.fill("username", rig.polar.email)
    browser.fill("pin", "9999")
    browser.click("register")
    wait_until(lambda: "EMAIL_PIN_ERROR" in browser.text("problem"), 20, "the wrong PIN on the page")
    wait_until(lambda: not browser.run("document.getElementById('register').disabled"), 10, "the button")
    browser.fill("pin", rig.polar.pin)
    browser.click("register")
    wait_until(lambda: browser.text("state") == "Connected", 20, "connected on the page")
    assert browser.text("serial") == rig.polar.serial
    assert browser.run("document.getElementById('pin').value") == ""
    assert browser.run("localStorage.length + sessionStorage.length") == 0
    browser.screenshot(Path(os.environ.get("UPLINK_SCREENSHOTS", rig.folder)) / "polar-page.png")
    rig.polar.kill()
    wait_until(lambda: browser.text("state") in ("Not connected", "Offline"), 30, "offline on the page")
    hosts = {url.split("/")[2] for url in browser.asked if url.startswith("http")}
    assert hosts == {f"127.0.0.1:{rig.daemon.port}"}


# What the packages of the two interfaces bring, as far as requests are concerned.
STOCK = {
    "mainsail": """
        location / { try_files $uri $uri/ /index.html; }
        location = /index.html { add_header Cache-Control "no-store, no-cache, must-revalidate"; }
        location /websocket {
            proxy_pass http://apiserver/websocket;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host $http_host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_read_timeout 86400;
        }
        location ~ ^/(printer|api|access|machine|server)/ {
            proxy_pass http://apiserver$request_uri;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host $http_host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Scheme $scheme;
        }
    """,
    "fluidd": """
        location / { try_files $uri $uri/ /index.html; }
        location = /index.html { add_header Cache-Control "no-store, no-cache, must-revalidate"; }
        location /websocket {
            proxy_pass http://apiserver/websocket;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host $http_host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_read_timeout 86400;
        }
        location ~ ^/(printer|api|access|machine|server)/ {
            proxy_pass http://apiserver$request_uri;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host $http_host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Scheme $scheme;
        }
        location /webcam/ { proxy_pass http://mjpgstreamer1/; }
    """,
}


class WebServer(ManagedProcess):
    """nginx with one of the two server blocks, with or without our snippet."""

    def __init__(self, rig: Rig, interface: str, with_snippet: bool) -> None:
        super().__init__("nginx", rig.folder)
        self.port = free_port()
        folder = rig.folder / f"nginx-{with_snippet}"
        (folder / "html").mkdir(parents=True)
        (folder / "html" / "index.html").write_text(interface)
        snippet = folder / "snippet.conf"
        snippet.write_text(SNIPPET.read_text().replace("127.0.0.1:7180", f"127.0.0.1:{rig.daemon.port}"))
        moonraker = rig.moonraker.url.removeprefix("http://")
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "\n".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(f"""
            {user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
            events {{ worker_connections 64; }}
            http {{
                access_log off; {temporary}
                map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
                upstream apiserver {{ ip_hash; server {moonraker}; }}
                upstream mjpgstreamer1 {{ ip_hash; server 127.0.0.1:8080; }}
                server {{
                    listen 127.0.0.1:{self.port} default_server;
                    gzip on; gzip_proxied expired no-cache no-store private auth;
                    root {folder}/html; index index.html; server_name _;
                    client_max_body_size 0; proxy_request_buffering off;
                    {f"include {snippet};" if with_snippet else ""}
                    {STOCK[interface]}
                }}
            }}
        """)
        assert NGINX
        self.launch([NGINX, "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"])
        wait_until(self._answers, 10, "nginx")

    def _answers(self) -> bool:
        return answers(self.port, "/index.html")


@pytest.mark.skipif(NGINX is None, reason="no nginx here")
@pytest.mark.parametrize("interface", STOCK)
def test_behind_the_web_server_of_a_printer(page_rig: Rig, interface: str) -> None:
    """The page and its paths come through; Moonraker's own do as before; whoever comes that way needs the token."""
    rig = page_rig
    bare = WebServer(rig, interface, with_snippet=False)
    try:
        assert ask(bare.port, "GET", "/polar-cloud/")[2].decode() == interface, "the interface itself answers"
        assert ask(bare.port, "GET", "/printer/polar_cloud/status")[0] == 404, "Moonraker answers"
    finally:
        bare.terminate()
    server = WebServer(rig, interface, with_snippet=True)
    try:
        for path in ("/polar-cloud/", "/polar-cloud/app.js", "/polar-cloud/style.css"):
            code, fields, body = ask(server.port, "GET", path)
            assert code == 200 and body == ask(rig.daemon.port, "GET", path)[2]
            assert fields["X-Content-Type-Options"] == "nosniff"
        assert json.loads(ask(server.port, "GET", "/printer/polar_cloud/status")[2])["may_change"] is False
        assert "result" in json.loads(ask(server.port, "GET", "/printer/info")[2]), "Moonraker's own paths stay"
        change = {"printer_type": "Ender 3"}
        path = "/printer/polar_cloud/config"
        origin = f"http://127.0.0.1:{server.port}"
        assert ask(server.port, "POST", path, change, Origin=origin)[0] == 401
        assert ask(server.port, "POST", path, change, Origin="http://evil.test")[0] == 403
        bearer = f"Bearer {token(rig)}"
        assert ask(server.port, "POST", path, change, Origin=origin, Authorization=bearer)[0] == 200
        assert status(rig.daemon.port)["printer_type"] == "Ender 3"
    finally:
        server.terminate()
