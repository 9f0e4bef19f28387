"""What the doctor says of Cura's way to the printer: port 80, nginx in front of it, Avahi and D-Bus."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE, ROOT, ManagedProcess, Rig, die_with_parent, wait_until
from network_lab import NetworkLab, missing

from commanding import JSON, write_backends

SNIPPETS = ROOT / "config" / "nginx"
STOCK = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  default_type text/html;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 0.0.0.0:80;
    root {folder}/www;
    location / {{ try_files $uri /index.html; }}
    {snippet}
  }}
}}
"""


class Home:
    """A printer's host with a wire to another one, and Cura's backend in its file."""

    def __init__(self, rig: Rig, lab: NetworkLab) -> None:
        self.rig = rig
        self.lab = lab
        lab.take_in(rig)

    def write(self, **keys: Any) -> None:
        write_backends(self.rig, {"type": "cura"} | keys)

    def start(self, **keys: Any) -> None:
        self.write(**keys)
        self.rig.daemon.start()
        wait_until(lambda: self.account() not in (None, "starting"), 15 * PATIENCE, "the daemon")

    def run(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        daemon = self.rig.daemon
        return subprocess.run(
            [*daemon.prefix, str(daemon.binary), command, "--config", str(daemon.config), *options],
            env=daemon.environment(),
            capture_output=True,
            text=True,
            timeout=30,
            preexec_fn=die_with_parent,
            check=False,
        )

    def account(self) -> str | None:
        result = self.run("status", "--json")
        return json.loads(result.stdout)["backends"][0]["state"] if result.returncode == 0 else None

    def doctor(self) -> tuple[list[str], dict[str, JSON]]:
        """The causes, and the checks by their ids."""
        document = json.loads(self.run("doctor", "--json").stdout)
        return document["causes"], {check["id"]: check for check in document["checks"]}

    def nginx(self, folder: Path, snippet: bool, port: int = 8008) -> ManagedProcess:
        """The usual nginx of a printer's host on port 80, whose web interface answers every path."""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "www").mkdir(parents=True)
        (folder / "www" / "index.html").write_text("<html>mainsail</html>")
        for path in SNIPPETS.glob("*.conf"):
            text = path.read_text().replace("127.0.0.1:8008", f"127.0.0.1:{port}")
            (folder / path.name).write_text(re.sub(r"include snippets/", f"include {folder}/", text))
        configuration = folder / "nginx.conf"
        include = f"include {folder}/cura.conf;" if snippet else ""
        configuration.write_text(STOCK.format(folder=folder, snippet=include))
        process = self.lab.start("nginx", self.lab.printer, "nginx", "-c", str(configuration))
        probe = "exec 3<>/dev/tcp/127.0.0.1/80"
        wait_until(
            lambda: (
                subprocess.run(
                    [*self.lab.printer.prefix, "bash", "-c", probe], capture_output=True, check=False
                ).returncode
                == 0
            ),
            10,
            "nginx",
        )
        return process


@pytest.fixture
def home(rig: Rig, tmp_path: Path) -> Iterator[Home]:
    if problem := missing():
        pytest.skip(problem)
    with NetworkLab(tmp_path) as lab:
        yield Home(rig, lab)


def test_port_80_free_held_and_served_by_nginx(home: Home, tmp_path: Path) -> None:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is missing")
    home.write(advertise="off", listen="0.0.0.0:80")
    causes, checks = home.doctor()
    assert causes == []
    assert checks["inbound.cura"]["text"].startswith("free")

    # nginx holds the port that the file asks for: its name, beside the daemon and without it.
    nginx = home.nginx(tmp_path / "nginx", snippet=False)
    causes, checks = home.doctor()
    assert causes == ["inbound.cura"]
    assert f"nginx (process {nginx.pid})" in checks["inbound.cura"]["text"]
    home.start(advertise="off", listen="0.0.0.0:80")
    causes, checks = home.doctor()
    assert causes == ["inbound.cura"], checks
    assert f"nginx (process {nginx.pid})" in checks["inbound.cura"]["text"]
    assert "cura.conf" in checks["inbound.cura"]["remedy"]
    assert checks["inbound.cura.account"]["because"] == "inbound.cura"
    home.rig.daemon.kill()

    # The daemon behind nginx, which knows nothing of it: Mainsail answers every path with its page.
    home.start(advertise="off")
    causes, checks = home.doctor()
    assert causes == ["inbound.cura.called"], checks
    assert "web page" in checks["inbound.cura.called"]["text"]
    assert "config/nginx/cura.conf" in checks["inbound.cura.called"]["remedy"]

    # With our snippet.
    nginx.kill()
    nginx = home.nginx(tmp_path / "nginx2", snippet=True)
    causes, checks = home.doctor()
    assert causes == [], checks
    assert "leads here" in checks["inbound.cura.called"]["text"]

    # Nobody on port 80, and the daemon behind nothing.
    nginx.kill()
    causes, checks = home.doctor()
    assert causes == ["inbound.cura.called"]
    assert "refused" in checks["inbound.cura.called"]["text"]


def test_avahi_away_without_its_bus_and_well(home: Home) -> None:
    home.start(listen="0.0.0.0:80")
    causes, checks = home.doctor()
    assert causes == ["inbound.cura.mdns"], checks
    assert "apt install avahi-daemon" in checks["inbound.cura.mdns"]["remedy"]
    home.lab.start_bus()
    assert home.doctor()[0] == ["inbound.cura.mdns"], "the bus alone finds nobody"
    home.lab.start_avahi()
    browser = home.lab.browse()
    browser.wait_for(1, 75 * PATIENCE)
    causes, checks = home.doctor()
    assert causes == [], checks
    assert checks["inbound.cura.mdns"]["state"] == "ok"
    # A crash leaves the socket behind.
    home.lab.avahi.kill()
    causes, checks = home.doctor()
    assert causes == ["inbound.cura.mdns"], checks
    home.rig.daemon.kill()
    causes, checks = home.doctor()
    assert causes == ["inbound.cura.mdns"], "without the daemon"
    home.write(advertise="off")
    assert home.doctor()[0] == []


def test_a_name_that_another_printer_has_is_said_and_another_is_taken(home: Home) -> None:
    """Nothing is wrong then: the new name is kept, and the page says it."""
    home.lab.start_bus()
    home.lab.start_avahi()
    service = (
        '<?xml version="1.0" standalone="no"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd"><service-group>'
        "<name>ultimakersystem-taken</name><service><type>_ultimaker._tcp</type><port>80</port></service></service-group>"
    )
    home.lab.put_service_file("taken.service", service)
    browser = home.lab.browse()
    browser.wait_for(1, 15)
    home.start(listen="0.0.0.0:80", instance="ultimakersystem-taken")
    services = browser.wait_for(2, 30)
    assert any(name.startswith("ultimakersystem-taken-") for name in services), services
    assert home.rig.daemon.process.lines("ultimakersystem-taken")
    causes, checks = home.doctor()
    assert causes == [], checks
