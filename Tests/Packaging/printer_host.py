"""A root that is a printer's host as KIAUH leaves one: user pi, real Moonraker, a simulated Klippy, GitHub beside it."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import stat
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from conftest import BINARY
from root import BUILD, REPOSITORY, Root

HOME = "/home/pi"
DATA = f"{HOME}/printer_data"
FOLDER = f"{HOME}/printer-uplink"
CONFIG = f"{DATA}/config/printer-uplink.yaml"
STATE = f"{HOME}/.local/state/printer-uplink"
VENV = (BUILD / "venv").resolve()
SUPPORT = REPOSITORY / "Tests" / "Support"
HERE = Path(__file__).resolve().parent
MOONRAKER_CONF = f"""[server]
host: 127.0.0.1
port: 7125
klippy_uds_address: {DATA}/comms/klippy.sock

[authorization]
trusted_clients:
  127.0.0.0/8

[machine]
provider: systemd_cli
validate_service: False

[announcements]
dev_mode: True

[history]

[update_manager]
enable_auto_refresh: False
enable_system_updates: False"""
MAINSAIL = """server {
    listen 80 default_server;
    root /var/www/mainsail;
    location / { try_files $uri $uri/ /index.html; }
    location ~ ^/(printer|api|access|machine|server)/ { proxy_pass http://127.0.0.1:7125$request_uri; }
}
"""


def unit(command: str) -> str:
    return f"[Service]\nUser=pi\nExecStart={command}\nRestart=always\n[Install]\nWantedBy=multi-user.target\n"


@functools.cache
def made(version: str, broken: bool) -> Path:
    """What scripts/release.sh makes, once per run of the tests."""
    top = Path(tempfile.mkdtemp(prefix="release-"))
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    subprocess.run(
        ["scripts/release.sh", str(BINARY), str(top / "made")],
        cwd=REPOSITORY,
        env=os.environ | {"VERSION": version},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    if broken:
        _break(top / "made")
    return top / "made"


def _break(made: Path) -> None:
    """Put a program into the archive that knows its version and accepts every file, and cannot run."""
    (archive,) = made.glob("*.zip")
    content: dict[str, tuple[int, bytes]] = {}
    with zipfile.ZipFile(archive) as former:
        for entry in former.infolist():
            content[entry.filename] = (entry.external_attr, former.read(entry))
    script = (
        b"#!/bin/sh\n"
        b'[ "$1" != run ] || { echo "cannot run, on purpose" >&2; [ ! -e /srv/hang ] || exec sleep 1000; exit 1; }\n'
        b'[ "$1" != status ]\n'
    )
    content["printer-uplink"] = ((0o100000 | 0o755) << 16, script)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as new:
        for name, (attributes, data) in content.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes
            new.writestr(info, data)
    subprocess.run("sha256sum -- *.zip *.deb install.sh >SHA256SUMS", shell=True, cwd=made, check=True)


class PrinterHost(Root):
    """The root, with what is on a printer's host, and the releases that its GitHub offers."""

    def prepare(self) -> None:
        """Lay everything out, and boot."""
        for path in (VENV, SUPPORT, HERE):
            self.binds.append(f"--bind-ro={path}")
        chroot = ["chroot", str(self.path)]
        subprocess.run([*chroot, "useradd", "--create-home", "--shell", "/bin/bash", "pi"], check=True)
        self.write("/etc/sudoers.d/pi", "pi ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        for name in ("config", "gcodes", "logs", "comms", "database"):
            self.file(f"{DATA}/{name}").mkdir(parents=True)
        # Without an end of line, as editors leave them.
        self.write(f"{DATA}/config/moonraker.conf", MOONRAKER_CONF)
        self.write(f"{DATA}/moonraker.asvc", "klipper_mcu\nKlipperScreen\ncrowsnest")
        subprocess.run([*chroot, "chown", "-R", "pi:pi", HOME], check=True)
        python = VENV / "bin" / "python"
        self.write(
            "/etc/systemd/system/klipper.service",
            unit(
                f"{python} {SUPPORT}/klippy_simulator.py --socket {DATA}/comms/klippy.sock"
                f" --control {DATA}/comms/control.sock --gcodes {DATA}/gcodes"
            ),
        )
        self.write("/etc/systemd/system/moonraker.service", unit(f"{python} -m moonraker -d {DATA}"))
        self.write("/etc/nginx/sites-available/mainsail", MAINSAIL)
        self.file("/etc/nginx/sites-enabled/default").unlink(missing_ok=True)
        self.file("/etc/nginx/sites-enabled/mainsail").symlink_to("/etc/nginx/sites-available/mainsail")
        self.file("/srv/releases").mkdir(parents=True)
        self.boot()
        self._start_github()
        self.run("systemctl enable -q --now klipper moonraker")
        self.until("curl -sf http://127.0.0.1:7125/server/info", 40)

    def _start_github(self) -> None:
        self.run(
            "cd /srv && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=test authority' "
            "-keyout ca.key -out ca.crt 2>/dev/null && "
            "openssl req -newkey rsa:2048 -nodes -subj /CN=github.com -keyout key.pem -out request.pem 2>/dev/null && "
            "echo 'subjectAltName=DNS:github.com,DNS:api.github.com' >names && "
            "openssl x509 -req -in request.pem -CA ca.crt -CAkey ca.key -days 2 -extfile names -out cert.pem 2>/dev/null && "
            "cp ca.crt /usr/local/share/ca-certificates/test-authority.crt && update-ca-certificates >/dev/null 2>&1 && "
            "echo '127.0.0.1 github.com api.github.com' >>/etc/hosts"
        )
        self.write(
            "/etc/systemd/system/github.service",
            f"[Service]\nExecStart=/usr/bin/python3 {HERE}/github.py /srv/releases /srv/cert.pem /srv/key.pem\n"
            "[Install]\nWantedBy=multi-user.target\n",
        )
        self.run("systemctl daemon-reload && systemctl enable -q --now github")

    # Releases

    def publish(self, version: str, broken: bool = False) -> None:
        """Offer a release made by scripts/release.sh as the latest; a broken one's program ends at once."""
        shutil.copytree(made(version, broken), self.file(f"/srv/releases/v{version}"))
        self.write("/srv/releases/latest", f"v{version}\n")

    # Asking

    def install(self, flags: str = "--yes", check: bool = True) -> str:
        """The way that docs/install.md names, as pi."""
        url = "https://github.com/printer-uplink/printer-uplink/releases/latest/download/install.sh"
        return self.run(f"curl -fsSL {url} | bash -s -- {flags} 2>&1", user="pi", check=check)

    def moonraker(self, method: str, path: str, timeout: float = 120) -> Any:
        answer = self.run(f"curl -s -m {timeout:g} -X {method} 'http://127.0.0.1:7125{path}'", timeout=timeout + 10)
        parsed = json.loads(answer)
        assert "result" in parsed, parsed
        return parsed["result"]

    def wait_for_moonraker(self) -> None:
        self.until('curl -sf http://127.0.0.1:7125/server/info | grep -q \'"klippy_state": *"ready"\'', 40)

    @property
    def installed_version(self) -> str:
        return json.loads(self.file(f"{FOLDER}/release_info.json").read_text())["version"]

    def pid(self) -> str:
        return self.run("pidof printer-uplink", check=False)

    def is_executable(self, path: str) -> bool:
        return bool(self.file(path).stat().st_mode & stat.S_IXUSR)
