"""A Debian root of our own, booted by systemd-nspawn: where packages and installers are tried.

    with Root("bookworm") as root:
        root.boot()
        root.run("systemctl is-active ssh")

A root lies as an overlay on one that debootstrap made once (`.build/roots/<suite>`, which needs the network).
It has a loopback of its own and no other network, its own processes and its own cgroup; nothing in it
reaches the host. All of it needs the right to be root.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / ".build"
ROOTS = BUILD / "roots"
MIRRORS = {
    "bookworm": "http://deb.debian.org/debian",
    "trixie": "http://deb.debian.org/debian",
    "noble": "http://archive.ubuntu.com/ubuntu",
}
# What a printer's host has anyway, what our package depends on (so that it installs without a network), and
# what the real Moonraker loads.
COMMON = "systemd,systemd-sysv,dbus,ca-certificates,curl,unzip,sudo,procps,iproute2,openssl,debconf"
FULL = (
    f"{COMMON},libcurl4,libexpat1,libmicrohttpd12,libwslay1,libyaml-0-2,libsqlite3-0,libturbojpeg0,libssl3,libstdc++6,libavahi-client3,"
    "libsodium23,libjpeg62-turbo,libopenjp2-7,python3,nginx-light,cron,supervisor,zsh,fish,bash-completion,man-db"
)
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
}
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()


def base(suite: str) -> Path:
    """The root of `suite` as debootstrap makes it; made now where it is missing."""
    folder = ROOTS / suite
    if folder.exists():
        return folder
    ROOTS.mkdir(parents=True, exist_ok=True)
    making = ROOTS / f"{suite}.making"
    if making.exists():
        shutil.rmtree(making)
    mirror = MIRRORS[suite]
    command = ["debootstrap", "--variant=minbase", f"--include={FULL if suite == 'bookworm' else COMMON}"]
    script = []
    if "ubuntu" in mirror:
        # debootstrap of Debian 12 has never heard of the newer names; this script is the one of all of them.
        script = ["/usr/share/debootstrap/scripts/gutsy"]
        # Its keys may not be on this host; these roots hold nothing that must be trusted.
        command += ["--components=main,universe", "--no-check-gpg"]
    subprocess.run([*command, suite, str(making), mirror, *script], check=True, stdout=subprocess.DEVNULL)
    making.rename(folder)
    return folder


class Root:
    """An overlay on a base root, and what runs in it."""

    def __init__(self, suite: str = "bookworm") -> None:
        self.suite = suite
        self.path = Path(tempfile.mkdtemp(prefix=f"{suite}-", dir=base(suite).parent))
        self.name = f"uplink-{os.getpid()}-{next(_numbers)}"
        self.guest: subprocess.Popen[bytes] | None = None
        self.binds: list[str] = []
        self._layers: list[Path] = []
        self.log: Path | None = None

    def __enter__(self) -> Self:
        changes, work = (self.path.with_name(f"{self.path.name}.{kind}") for kind in ("changes", "work"))
        self._layers = [changes, work]
        for folder in self._layers:
            folder.mkdir()
        options = f"lowerdir={base(self.suite)},upperdir={changes},workdir={work}"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", str(self.path)], check=True)
        self.write("/etc/hostname", "printer\n")
        self.write("/etc/hosts", "127.0.0.1 localhost printer\n")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)
        for folder in [self.path, *self._layers]:
            shutil.rmtree(folder, ignore_errors=True)

    # Files

    def file(self, path: str) -> Path:
        """Where the root's `path` is, seen from outside."""
        return self.path / path.lstrip("/")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        target = self.file(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def put(self, source: Path, path: str) -> None:
        target = self.file(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)

    # Running

    def boot(self) -> None:
        """Boot it, and wait until systemd has started everything."""
        self.log = self.path.parent / f"{self.path.name}.log"
        log = self.log.open("wb")
        command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe"]
        command += ["--machine=printer", "--private-network", f"--directory={self.path}", *self.binds]
        self.guest = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=self._enter_cgroup
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.guest.poll() is None, f"systemd-nspawn ended: see {self.log}"
            state = self.run("systemctl is-system-running", check=False) if self.leader else ""
            if state in ("running", "degraded"):
                return
            time.sleep(0.2)
        raise AssertionError(f"the root did not boot: see {self.log}")

    @property
    def leader(self) -> int | None:
        """The guest's first process, as we number it."""
        assert self.guest
        children = Path(f"/proc/{self.guest.pid}/task/{self.guest.pid}/children").read_text().split()
        for child in children:
            with suppress(OSError):
                if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                    return int(child)
        return None

    def run(self, command: str, user: str = "root", check: bool = True, timeout: float = 120, input: str = "") -> str:
        """Run a line of shell in the booted root; what it writes, without the last line break."""
        done = self.attempt(command, user, timeout, input)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: exit {done.returncode}\n{done.stdout}")
        return done.stdout.strip()

    def attempt(
        self, command: str, user: str = "root", timeout: float = 120, input: str = ""
    ) -> subprocess.CompletedProcess[str]:
        environment = dict(ENVIRONMENT)
        if user != "root":
            environment["HOME"] = f"/home/{user}"
            command = f"exec runuser -u {user} -- bash -c {shlex.quote(command)}"
        return subprocess.run(
            ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
            + ["bash", "-c", command],
            check=False,
            env=environment,
            input=input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )

    def until(self, command: str, timeout: float = 20) -> str:
        """Run it until it succeeds."""
        deadline = time.monotonic() + timeout
        while True:
            done = self.attempt(command)
            if done.returncode == 0:
                return done.stdout.strip()
            if time.monotonic() > deadline:
                raise AssertionError(f"{command}: not within {timeout:g} s\n{done.stdout}")
            time.sleep(0.2)

    def stop(self) -> None:
        if self.guest and self.guest.poll() is None:
            leader = self.leader
            if leader:
                os.kill(leader, signal.SIGRTMIN + 4)  # power off
            try:
                self.guest.wait(20)
            except subprocess.TimeoutExpired:
                self.guest.kill()
                self.guest.wait()
        self.guest = None
        if self.log:
            self.log.unlink(missing_ok=True)
        for hierarchy in self._cgroups():
            for folder in sorted(hierarchy.rglob("*/"), reverse=True):
                with suppress(OSError):
                    folder.rmdir()
            with suppress(OSError):
                hierarchy.rmdir()

    def _cgroups(self) -> list[Path]:
        top = Path("/sys/fs/cgroup")
        candidates = [top, top / "systemd", top / "unified"]
        return [folder / self.name for folder in candidates if (folder / "cgroup.procs").exists()]

    def _enter_cgroup(self) -> None:
        """Keep the guest's cgroups apart from the host's; end it with the test."""
        _libc.prctl(1, signal.SIGTERM)
        for folder in self._cgroups():
            folder.mkdir(exist_ok=True)
            (folder / "cgroup.procs").write_text(str(os.getpid()))


def shell_help(root: Root, user: str = "root") -> dict[str, str]:
    """What each shell completes `printer-uplink` with, and where man finds its page; empty where it finds nothing."""
    # What a login puts into the path.
    path = 'PATH="$HOME/.local/bin:$PATH";'
    ask = {
        "bash": ". /usr/share/bash-completion/bash_completion; _completion_loader printer-uplink; "
        "shopt -s extdebug; set -- $(declare -F _printer_uplink); readlink -f $3",
        "zsh": "zsh -fc 'autoload -U compinit; compinit -D -u; print $_comps[printer-uplink]'",
        "fish": "fish -c 'complete -C \"printer-uplink read-o\"' | cut -f1",
        "man": "man -w printer-uplink",
    }
    return {name: root.run(f"{path} {command}", user=user, check=False) for name, command in ask.items()}
