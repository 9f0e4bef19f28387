"""Two hosts on one wire: the printer's, with D-Bus and Avahi of its own, and the one that Cura runs on.

    with NetworkLab(folder) as lab:
        lab.start_bus()
        lab.start_avahi()
        browser = lab.browse()
        browser.wait_for("added")

Each host is a network namespace (and the printer's a mount namespace as well) that a sleeping process holds; with that
process all of it goes away. Needs root, iproute2, util-linux, dbus and avahi-daemon.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from harness import SUPPORT, ManagedProcess, Rig, die_with_parent, wait_until

TOOLS = ("ip", "nsenter", "unshare", "dbus-daemon", "avahi-daemon")

BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
"""
AVAHI = """[server]
host-name={host}
use-ipv6=no
allow-interfaces={interface}
[publish]
publish-workstation=no
"""


def missing() -> str | None:
    """What this machine lacks for the laboratory; None where it has everything."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f"missing: {', '.join(absent)}"
    probe = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, text=True, check=False)
    return f"no namespaces here: {probe.stderr.strip()}" if probe.returncode else None


def run(*command: str, check: bool = True) -> None:
    subprocess.run(command, check=check, capture_output=True)


class Host:
    """One host: the namespaces that a sleeping process holds."""

    def __init__(self, name: str, interface: str, address: str, mounts: bool) -> None:
        self.name = name
        self.interface = interface
        self.address = address
        command = ["unshare", "--net", *(["--mount"] if mounts else []), "sleep", "infinity"]
        self._holder = subprocess.Popen(command, preexec_fn=die_with_parent)
        self._mounts = mounts
        wait_until(self._is_apart, 5, f"the namespace of {name}")

    def _is_apart(self) -> bool:
        own, other = Path("/proc/self/ns/net"), Path(f"/proc/{self._holder.pid}/ns/net")
        return own.readlink() != other.readlink() and Path(f"/proc/{self._holder.pid}/comm").read_text() == "sleep\n"

    @property
    def pid(self) -> int:
        return self._holder.pid

    @property
    def prefix(self) -> list[str]:
        """What to put in front of a command that shall run on this host."""
        mount = ["--mount"] if self._mounts else []
        return ["nsenter", f"--target={self.pid}", "--net", *mount, "--wd=/"]

    def run(self, *command: str, check: bool = True) -> None:
        run(*self.prefix, *command, check=check)

    def set_up(self) -> None:
        self.run("ip", "address", "add", f"{self.address}/24", "dev", self.interface)
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", self.interface, "up")
        self.run("ip", "route", "add", "default", "dev", self.interface)  # multicast needs a route

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()


class Browser:
    """Cura's library, python-zeroconf, on the other host: what comes and goes, as it sees it."""

    def __init__(self, process: ManagedProcess) -> None:
        self._process = process

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Everything so far: `added`, `updated` (both with the service), `removed`."""
        lines = [line for line in self._process.text().splitlines() if line.endswith("}")]
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in events if kind in (None, event["kind"])]

    def present(self) -> dict[str, dict[str, Any]]:
        """The services that are there now, by their full names."""
        services: dict[str, dict[str, Any]] = {}
        for event in self.events():
            if event["kind"] == "removed":
                services.pop(event["name"], None)
            else:
                services[event["name"]] = event
        return services

    def wait_for(self, count: int, timeout: float = 10.0) -> dict[str, dict[str, Any]]:
        """Wait until so many services are there."""
        wait_until(lambda: len(self.present()) == count, timeout, f"{count} services (of {self.events()})")
        return self.present()

    def close(self) -> None:
        self._process.kill()


class NetworkLab:
    """Both hosts and what runs on the printer's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # 15 characters at most, and unlike those of a second laboratory.
        tag = f"{os.getpid() % 100000:05}"
        run("ip", "link", "del", f"upl{tag}p", check=False)
        self.printer = Host("printer", f"upl{tag}p", "10.77.0.1", mounts=True)
        self.cura = Host("cura", f"upl{tag}c", "10.77.0.2", mounts=False)
        run("ip", "link", "add", self.printer.interface, "type", "veth", "peer", "name", self.cura.interface)
        for host in (self.printer, self.cura):
            run("ip", "link", "set", host.interface, "netns", str(host.pid))
            host.set_up()
        # A private /run for the sockets of D-Bus and Avahi, and service files of its own.
        self.printer.run("mount", "-t", "tmpfs", "none", "/run")
        self.printer.run("mkdir", "-p", "/run/dbus", "/run/avahi-daemon", "/run/services")
        self.printer.run("mount", "--bind", "/run/services", "/etc/avahi/services")
        (folder / "bus.conf").write_text(BUS)
        (folder / "avahi.conf").write_text(AVAHI.format(host="voron", interface=self.printer.interface))
        self.bus = ManagedProcess("dbus", folder)
        self.avahi = ManagedProcess("avahi", folder)
        self._others: list[ManagedProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take_in(self, rig: Rig) -> None:
        """Let the rig's daemon and Moonraker live on the printer's host, beside a printer that is ready."""
        rig.daemon.prefix = self.printer.prefix
        rig.printer.start(speed=20)
        rig.moonraker.start(prefix=self.printer.prefix)
        rig.moonraker.wait_for_klippy()

    def start_bus(self) -> None:
        self.printer.run("rm", "-f", "/run/dbus/system_bus_socket")
        self.bus.launch(
            [*self.printer.prefix, "dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork", "--nopidfile"]
        )
        self._wait_for_socket("/run/dbus/system_bus_socket")

    def start_avahi(self) -> None:
        """Start Avahi on the printer's host; returns when it answers."""
        self.printer.run("rm", "-rf", "/run/avahi-daemon/pid", "/run/avahi-daemon/socket")
        begin = len(self.avahi.text())
        options = ["-f", f"{self.folder}/avahi.conf", "--no-drop-root", "--no-chroot", "--no-rlimits"]
        self.avahi.launch([*self.printer.prefix, "avahi-daemon", *options])
        wait_until(lambda: "Server startup complete" in self.avahi.text()[begin:], 10, "Avahi")

    def _wait_for_socket(self, path: str) -> None:
        socket = Path(f"/proc/{self.printer.pid}/root{path}")
        wait_until(socket.exists, 5, path)

    def put_service_file(self, name: str, text: str) -> None:
        """A static service file, as an administrator puts it."""
        Path(f"/proc/{self.printer.pid}/root/run/services/{name}").write_text(text)

    def remove_service_file(self, name: str) -> None:
        Path(f"/proc/{self.printer.pid}/root/run/services/{name}").unlink()

    def start(self, name: str, host: Host, *command: str) -> ManagedProcess:
        """Start something on a host; ended with the laboratory."""
        process = ManagedProcess(name, self.folder)
        self._others.append(process)
        process.launch([*host.prefix, *command])
        return process

    def browse(self, name: str = "browser") -> Browser:
        """Begin to look for printers from the other host."""
        script = str(SUPPORT / "cura_browser.py")
        process = self.start(name, self.cura, sys.executable, script, self.cura.address)
        wait_until(lambda: "browsing" in process.text(), 10, "the browser")
        return Browser(process)

    def close(self) -> None:
        for process in (*self._others, self.avahi, self.bus):
            process.kill()
        for host in (self.printer, self.cura):
            host.close()

    def end_avahi(self) -> None:
        """End Avahi in good order, as a package upgrade does."""
        self.avahi.signal(signal.SIGTERM)
        with suppress(AssertionError):
            wait_until(lambda: not self.avahi.running, 5, "Avahi's end")
        time.sleep(0.1)
