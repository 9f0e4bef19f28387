"""`-c /etc/printer-uplink/NAME.yaml`: every command finds that instance's daemon, state and variables, and no other."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from harness import ManagedProcess, Rig, die_with_parent, free_port, wait_until

# The folders of the package, made anew in a mount namespace; the rest of /etc shows through.
SETUP = """
set -e
mkdir "$1/etc"
mount --bind /etc "$1/etc"
mount -t tmpfs tmpfs /etc
for each in "$1"/etc/*; do [ "${each##*/}" = printer-uplink ] || ln -s "$each" /etc/; done
mkdir /etc/printer-uplink
mount -t tmpfs tmpfs /var/lib
touch "$1/ready"
exec sleep infinity
"""
CONFIGURATION = """
version: 1
printer: {{name: {name}, moonraker: "http://127.0.0.1:{moonraker}"}}
control: {{listen: "127.0.0.1:{page}"}}
backends:
  - type: printdock
    cloud_url: http://127.0.0.1:{cloud}
    pairing_token: "${{env:DOCK_TOKEN}}"
"""


class PackagedHost:
    """A host with the package's folders and two instances."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.folder = rig.folder / "host"
        self.folder.mkdir()
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", SETUP, "sh", str(self.folder)]
        self._holder = subprocess.Popen(command, preexec_fn=die_with_parent)
        self.prefix = ["nsenter", f"--target={self._holder.pid}", "--mount", "--wd=/"]
        self.daemons = {name: ManagedProcess(name, rig.folder) for name in ("voron", "ender")}

        def is_ready() -> bool:
            assert self._holder.poll() is None, "the namespace could not be made"
            return (self.folder / "ready").exists()

        wait_until(is_ready, 10, "the namespace")

    def write(self, path: str, text: str, mode: int = 0o600) -> None:
        subprocess.run(
            [*self.prefix, "sh", "-c", 'umask 077; cat > "$0"; chmod "$1" "$0"', path, f"{mode:o}"],
            input=text.encode(),
            check=True,
        )

    def start(self, name: str, **variables: str) -> None:
        """The daemon, with what the service manager gives it."""
        command = [*self.prefix, str(self.rig.binary), "run", "-c", f"/etc/printer-uplink/{name}.yaml"]
        self.daemons[name].launch(command, self.environment() | variables)
        wait_until(lambda: self.command("status", name).returncode == 0, 10, f"the daemon {name}")

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "NO_COLOR": "1"}

    def command(self, name: str, instance: str, *more: str, prefix: tuple[str, ...] = ()) -> Any:
        """A command as a person types it, in a shell without the service's variables."""
        words = [name, *more, "-c", f"/etc/printer-uplink/{instance}.yaml"]
        return subprocess.run(
            [*self.prefix, *prefix, str(self.rig.binary), *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def status(self, instance: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.command("status", instance, "--json").stdout)
        return document

    def names(self, path: str) -> list[str]:
        return subprocess.run([*self.prefix, "ls", path], capture_output=True, text=True, check=True).stdout.split()

    def close(self) -> None:
        for daemon in self.daemons.values():
            daemon.terminate()
        self._holder.kill()
        self._holder.wait()


@pytest.fixture
def host(rig: Rig) -> Iterator[PackagedHost]:
    probe = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    if os.geteuid() != 0 or probe.returncode != 0:
        pytest.skip(f"mount namespaces need root: {probe.stderr.strip()}")
    host = PackagedHost(rig)
    try:
        for name in ("voron", "ender"):
            ports = {"moonraker": free_port(), "page": free_port(), "cloud": free_port()}
            text = CONFIGURATION.format(name=name.title(), **ports)
            host.write(f"/etc/printer-uplink/{name}.yaml", text, mode=0o644)
        host.write("/etc/printer-uplink/env", "# for all\nDOCK_TOKEN='PAIR_of_all'\n")
        host.write("/etc/printer-uplink/voron.env", 'DOCK_TOKEN="PAIR_of_voron"\n')
        yield host
    finally:
        host.close()


def test_each_command_finds_the_daemon_of_its_file(host: PackagedHost) -> None:
    # As systemd starts it, and as a person does.
    state = {"STATE_DIRECTORY": "/var/lib/printer-uplink-voron", "RUNTIME_DIRECTORY": "/run/uplink-test"}
    subprocess.run([*host.prefix, "mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    subprocess.run([*host.prefix, "mkdir", "-m", "700", *state.values()], check=True)
    host.start("voron", DOCK_TOKEN="PAIR_of_voron", **state)
    host.start("ender", DOCK_TOKEN="PAIR_of_all")
    assert host.names("/var/lib") == ["printer-uplink-ender", "printer-uplink-voron"]
    for name in ("voron", "ender"):
        assert host.status(name)["printer"]["name"] == name.title()

    assert host.command("disable", "voron", "printdock").returncode == 0
    assert host.command("read-only", "ender", "on").returncode == 0
    assert host.command("bed-cleared", "ender").returncode == 0
    stands = {name: host.status(name) for name in ("voron", "ender")}
    assert [stands[name]["backends"][0]["is_enabled"] for name in stands] == [False, True]
    assert [stands[name]["commands"]["read_only"]["is_on"] for name in stands] == [False, True]
    assert [stands[name]["commands"]["bed"]["is_clear"] for name in stands] == [False, True]
    assert host.command("enable", "voron", "printdock").returncode == 0
    assert host.command("reload", "voron").returncode == 0
    checks = {check["id"]: check for check in json.loads(host.command("doctor", "voron", "--json").stdout)["checks"]}
    assert (checks["configuration"]["state"], checks["daemon"]["state"]) == ("ok", "ok")
    assert "/var/lib/printer-uplink-voron" in json.dumps(checks["state"]) or checks["state"]["state"] == "ok"

    host.daemons["voron"].terminate()
    gone = host.command("status", "voron")
    assert gone.returncode == 1
    assert "/var/lib/printer-uplink-voron/control.sock" in gone.stderr
    assert host.status("ender")["printer"]["name"] == "Ender"


def test_commands_read_the_variables_of_the_service(host: PackagedHost) -> None:
    for name, arguments in (("validate", ()), ("explain", ("printdock",))):
        done = host.command(name, "voron", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Entry 'printdock'" in host.command("explain", "voron", "printdock").stdout
    host.write("/etc/printer-uplink/env", "")
    host.write("/etc/printer-uplink/voron.env", "")
    empty = host.command("validate", "voron")
    assert empty.returncode == 78
    assert "DOCK_TOKEN is not set; set it for the daemon in /etc/printer-uplink/voron.env" in empty.stdout
    # The daemon itself has what the service manager gives it, and nothing else.
    host.write("/etc/printer-uplink/env", "DOCK_TOKEN=PAIR_of_all\n")
    daemon = host.command("run", "voron")
    assert daemon.returncode == 78
    assert "DOCK_TOKEN is not set" in daemon.stderr
    once = host.command("run", "voron", "--once")
    assert once.returncode == 1, once.stderr
    assert "PAIR_of_all" not in once.stdout + once.stderr


def test_variables_that_this_user_may_not_read_are_not_called_unset(host: PackagedHost) -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    probe = subprocess.run([*nobody, str(host.rig.binary), "version"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("another user may not run the binary where it lies")
    done = host.command("validate", "voron", prefix=nobody)
    assert done.returncode == 78
    assert "/etc/printer-uplink/voron.env, where the daemon has its variables from, may not be read" in done.stdout
    assert "put 'sudo' before the command" in done.stdout
