"""A network of its own for a few programs: a namespace with a wire that leads nowhere.

    with Place(folder) as place:
        place.wire()
        place.put("/etc/hosts", "127.0.0.1 relay.cloud.example\n")
        place.start("broken_roads.py", "portal", chain, key)
        subprocess.run([*place.prefix, "printer-uplink", "doctor"])

A sleeping process holds it (and the mounts in it); with that process all of it goes away. Needs root, iproute2 and
util-linux.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

from harness import SUPPORT, ManagedProcess, die_with_parent, wait_until

_numbers = itertools.count()


def missing() -> str | None:
    """What this machine lacks; None where it has everything."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    absent = [tool for tool in ("ip", "nsenter", "unshare", "mount") if shutil.which(tool) is None]
    if absent:
        return f"missing: {', '.join(absent)}"
    probe = subprocess.run(
        ["unshare", "--net", "--mount", "ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no namespaces here: {probe.stderr.strip()}" if probe.returncode else None


class Place:
    """The namespaces that a sleeping process holds."""

    def __init__(self, folder: Path, net: bool = True) -> None:
        self.folder = folder
        kinds = ["--mount", *(["--net"] if net else [])]
        self._holder = subprocess.Popen(["unshare", *kinds, "sleep", "infinity"], preexec_fn=die_with_parent)
        self._processes: list[ManagedProcess] = []
        self.prefix = ["nsenter", f"--target={self._holder.pid}", *kinds, f"--wd={folder}"]
        wait_until(lambda: Path(f"/proc/{self._holder.pid}/comm").read_text() == "sleep\n", 5, "the namespace")
        if net:
            self.run("ip", "link", "set", "lo", "up")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, *command: str) -> None:
        result = subprocess.run([*self.prefix, *command], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr

    def wire(self) -> None:
        """A way out, into nothing: what leaves is swallowed, and nobody says so."""
        self.run("ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1")
        for command in (
            "link set d1 up",
            "address add 192.0.2.9/24 dev d0",
            "link set d0 up",
            "neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev d0",
            "route add default via 192.0.2.1",
        ):
            self.run("ip", *command.split())

    def put(self, path: str, text: str) -> None:
        """Put a file of our own in the place of one of the system's."""
        copy = self.folder / f"{Path(path).name}-{next(_numbers)}"
        copy.write_text(text)
        self.run("mount", "--bind", str(copy), path)

    def start(self, *command: str | Path) -> ManagedProcess:
        """Start one of our programs, or any other, and wait until it says that it is ready."""
        process = ManagedProcess(f"place-{next(_numbers)}", self.folder)
        self._processes.append(process)
        words = [str(word) for word in command]
        if words[0].endswith(".py"):
            words = ["python3", str(SUPPORT / words[0]), *words[1:]]
        process.launch([*self.prefix, *words])
        wait_until(lambda: "ready" in process.text(), 15, " ".join(words[:3]))
        return process

    def close(self) -> None:
        for process in self._processes:
            process.kill()
        self._holder.kill()
        self._holder.wait()
