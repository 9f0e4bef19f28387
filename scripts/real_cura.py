"""Drives the real Cura of Debian on a virtual screen: it finds the printer, shows it, slices a cube and sends it.

Needs root and the packages cura, python3-zeroconf, xvfb, xdotool, imagemagick, avahi-daemon and dbus. Cura runs on a host
of its own (a network namespace) beside the printer's; what a person would click is clicked, what came of it is read from
the printer's side, and every step leaves a picture in `--pictures`.

    scripts/real_cura.py own        with the definition of `cura-definition`: found by discovery, prints
    scripts/real_cura.py stock      as an Ultimaker 3, added by its address: the job waits and says why
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "Support"))

from harness import ManagedProcess, Rig, wait_until
from network_lab import Host, NetworkLab
from PIL import Image

TOOLS = ("cura", "Xvfb", "xdotool", "import")
WIDTH, HEIGHT = 1280, 720
ADDRESS = "10.77.0.1"
NAME = "Voron 2.4"


class Screen:
    """A virtual screen with Cura's window in its corner: clicks, keys, pictures."""

    def __init__(self, folder: Path, pictures: Path) -> None:
        self.number = f":{70 + os.getpid() % 900}"
        self.pictures = pictures
        self._step = 0
        self._folder = folder
        self.process = ManagedProcess("xvfb", folder)
        options = ["-screen", "0", f"{WIDTH}x{HEIGHT}x24", "+extension", "GLX", "-noreset", "-nolisten", "tcp"]
        self.process.launch(["Xvfb", self.number, *options])
        wait_until(Path(f"/tmp/.X11-unix/X{self.number[1:]}").exists, 10, "the screen")

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DISPLAY": self.number}

    def do(self, *arguments: str) -> str:
        command = ["xdotool", *arguments]
        return subprocess.run(command, env=self.environment, check=False, capture_output=True, text=True).stdout

    def to_corner(self) -> None:
        """There is no window manager: the main window is put where the clicks are counted from."""
        for window in self.do("search", "--name", "Ultimaker Cura").split():
            self.do("windowmove", window, "0", "0")

    def click(self, x: int, y: int) -> None:
        self.do("mousemove", str(x), str(y), "sleep", "0.3", "click", "1")
        time.sleep(0.5)

    def type(self, text: str, *keys: str) -> None:
        self.do("type", "--delay", "20", text)
        for key in keys:
            self.do("key", key)

    def picture(self, name: str | None = None) -> Image.Image:
        """What is seen now; kept under a name."""
        path = self._folder / "now.png"
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True)
        image = Image.open(path).convert("RGB")
        image.load()
        if name:
            self._step += 1
            image.save(self.pictures / f"{self._step:02}-{name}.png")
        return image

    def is_blue(self, x: int, y: int) -> bool:
        """Whether there is a button's blue (also where the mouse is over it)."""
        around = self.picture().crop((x - 12, y - 8, x + 12, y + 8)).getdata()
        blue = sum(1 for red, green, blue in around if blue > 120 and red < 60 and blue - red > 80 and green < 140)
        return blue > len(around) // 2

    def wait_for_blue(self, x: int, y: int, what: str, timeout: float = 60.0) -> None:
        try:
            wait_until(lambda: self.is_blue(x, y), timeout, what, 0.5)
        except AssertionError:
            self.picture("missed")
            raise

    def click_button(self, x: int, y: int, what: str, timeout: float = 60.0) -> None:
        self.wait_for_blue(x, y, what, timeout)
        time.sleep(0.5)
        self.click(x, y)


class Cura:
    """Cura on the other host."""

    def __init__(self, lab: NetworkLab, screen: Screen, home: Path) -> None:
        self.screen = screen
        self.home = home
        self.process = ManagedProcess("cura", lab.folder)
        self._host: Host = lab.cura

    def start(self) -> None:
        environment = {
            **self.screen.environment,
            "HOME": str(self.home),
            "USER": "alice",
            "BROWSER": "/bin/true",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "QT_X11_NO_MITSHM": "1",
        }
        self.process.launch([*self._host.prefix, "cura"], environment)
        wait_until(lambda: self.screen.do("search", "--name", "Ultimaker Cura").split(), 120, "Cura's window", 1)
        time.sleep(8)
        self.screen.to_corner()
        time.sleep(2)

    def pass_the_welcome(self) -> None:
        """Welcome, agreement, data, account: to the page where printers are added."""
        screen = self.screen
        screen.click_button(639, 536, "'Get started'", 90)
        screen.picture("welcome")
        screen.click_button(879, 643, "'Agree'")
        time.sleep(2)
        screen.click_button(879, 643, "'Next' below the data")
        time.sleep(2)
        screen.click(397, 643)  # 'Skip' the account
        time.sleep(4)

    def add_by_discovery(self) -> None:
        """The printer is in the list by itself, and chosen."""
        self.screen.wait_for_blue(883, 643, "a printer in the list", 60)
        self.screen.picture("found-by-discovery")
        self.screen.click(883, 643)
        time.sleep(5)

    def add_by_address(self) -> None:
        """'Add printer by IP'."""
        screen = self.screen
        screen.picture("before-the-address")
        # 'Add printer by IP' is a little lower where a printer is listed; this hits it both ways.
        screen.click(544, 235)
        time.sleep(2)
        screen.click(510, 154)
        screen.type(ADDRESS)
        screen.picture("address")
        screen.click(680, 154)
        time.sleep(5)
        screen.picture("found-by-address")
        screen.click_button(883, 643, "'Connect'")
        time.sleep(5)

    def end_the_wizard(self) -> None:
        for _ in range(4):
            if not self.screen.is_blue(879, 643):
                break
            self.screen.click(879, 643)
            time.sleep(3)
        for _ in range(6):
            # Messages lie over the bed, the newest lowest.
            self.screen.click(815, 585)
            self.screen.click(815, 321)
        self.screen.picture("prepare")

    def monitor(self, name: str) -> None:
        self.screen.click(761, 47)
        time.sleep(4)
        self.screen.picture(name)

    def slice(self, path: Path) -> None:
        """Open a file, slice it."""
        screen = self.screen
        screen.click(515, 47)
        time.sleep(2)
        screen.click(300, 300)
        screen.do("key", "ctrl+o")
        time.sleep(3)
        screen.type(str(path), "Return")
        screen.click_button(1089, 666, "'Slice'")
        wait_until(lambda: self.process.lines("slicing took"), 60, "the slices", 1)
        time.sleep(5)
        screen.picture("sliced")

    def send(self) -> None:
        """'Print over network'."""
        self.screen.click_button(1110, 666, "'Print over network'")
        time.sleep(3)
        self.screen.picture("sent")


def cube(path: Path, side: float = 12.0, height: float = 3.0) -> Path:
    """A cube as STL."""
    points = [(x, y, z) for x in (0, side) for y in (0, side) for z in (0, height)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [corner for a, b, c, d in faces for corner in ((a, b, c), (a, c, d))]
    data = bytes(80) + struct.pack("<I", len(triangles))
    for a, b, c in triangles:
        data += struct.pack("<12fH", 0, 0, 0, *points[a], *points[b], *points[c], 0)
    path.write_bytes(data)
    return path


class Ground:
    """The printer with the daemon on one host, Cura on the other."""

    def __init__(self, rig: Rig, lab: NetworkLab, pictures: Path) -> None:
        self.rig = rig
        self.lab = lab
        self.home = rig.folder / "home"
        self.home.mkdir()
        lab.start_bus()
        lab.start_avahi()
        rig.daemon.prefix = lab.printer.prefix
        rig.printer.start(speed=60)
        rig.moonraker.start(prefix=lab.printer.prefix)
        rig.moonraker.wait_for_klippy()
        self.screen = Screen(rig.folder, pictures)
        self.cura = Cura(lab, self.screen, self.home)

    def start_daemon(self, **keys: object) -> None:
        document = self.rig.configuration(name=NAME)
        # The socket: this computer's side of the laboratory asks the printer too.
        document["printer"]["moonraker"] = f"unix:{self.rig.moonraker.unix_socket}"
        document["printer"]["moonraker_http"] = self.rig.moonraker.url
        document["backends"] = [{"type": "cura", "listen": "0.0.0.0:80"} | keys]
        self.rig.daemon.write(document)
        self.rig.daemon.start()

    def jobs(self) -> list[tuple[str, str, str]]:
        """Name, status and uuid of each job, as Cura gets them."""
        source = (
            "import sys, json; sys.path.insert(0, sys.argv[1]); from cura_client import *;"
            "cura = CuraClient(sys.argv[2], 80, Variant.CURA_4_13);"
            "print(json.dumps([(j['name'], j['status'], j['uuid']) for j in cura.poll()[1]]));"
            "assert cura.deviations == [], cura.deviations"
        )
        command = [*self.lab.cura.prefix, sys.executable, "-c", source, str(ROOT / "Tests" / "Support"), ADDRESS]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return [tuple(job) for job in json.loads(result.stdout)]

    def wait_for_job(self, *states: str, timeout: float = 90.0) -> tuple[str, str, str]:
        def found() -> tuple[str, str, str] | None:
            return next((job for job in self.jobs() if job[1] in states), None)

        try:
            return wait_until(found, timeout, f"a job that is {' or '.join(states)}", 0.5)
        except AssertionError:
            self.screen.picture("missed")
            raise

    def close(self) -> None:
        self.cura.process.kill()
        self.screen.process.kill()


def own(ground: Ground) -> None:
    """The definition that `cura-definition` makes: Cura slices for this machine, and the job prints by itself."""
    ground.start_daemon(bom="770001", machine_variant=NAME)
    time.sleep(3)
    resources = ground.home / ".local" / "share" / "cura" / "4.13"
    result = ground.rig.daemon.command(
        "cura-definition", "--config", str(ground.rig.daemon.config), "-o", str(resources)
    )
    assert result.returncode == 0, result.stderr
    print(result.stdout.strip())
    assert ground.rig.daemon.command("bed-cleared", "--config", str(ground.rig.daemon.config)).returncode == 0
    cura = ground.cura
    cura.start()
    cura.pass_the_welcome()
    cura.add_by_discovery()
    cura.end_the_wizard()
    cura.monitor("monitor-idle")
    cura.slice(cube(ground.rig.folder / "cube.stl"))
    cura.send()
    name, state, _ = ground.wait_for_job("pre_print", "printing", "wait_cleanup")
    print(f"{name}: {state}")
    cura.monitor("monitor-printing")
    ground.wait_for_job("wait_cleanup", timeout=300)
    time.sleep(3)
    ground.screen.picture("monitor-finished")
    assert ground.rig.printer.print_state == "complete", ground.rig.printer.print_state
    lines = ground.rig.printer.gcode_lines("file")
    print(f"{len(lines)} lines of its G-code were run, the first: {lines[:8]}")
    assert any(line.startswith("G28") for line in lines) or any("PRINT_START" in line for line in lines)


def stock(ground: Ground) -> None:
    """As an Ultimaker 3: Cura writes Griffin G-code, which neither homes nor heats; the job waits and says why."""
    ground.start_daemon(advertise="off")
    time.sleep(3)
    assert ground.rig.daemon.command("bed-cleared", "--config", str(ground.rig.daemon.config)).returncode == 0
    cura = ground.cura
    cura.start()
    cura.pass_the_welcome()
    cura.add_by_address()
    cura.end_the_wizard()
    cura.monitor("monitor-idle")
    cura.slice(cube(ground.rig.folder / "cube.stl"))
    cura.send()
    name, state, _ = ground.wait_for_job("queued")
    print(f"{name}: {state}")
    time.sleep(3)
    cura.monitor("monitor-waiting")
    assert ground.rig.printer.print_state == "standby"
    words = ground.rig.daemon.process.lines("griffin")
    assert words, "the log does not say why"
    print(words[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["own", "stock"])
    parser.add_argument("--pictures", type=Path, default=ROOT / ".build" / "cura-pictures")
    parser.add_argument("--binary", type=Path)
    arguments = parser.parse_args()
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent or os.geteuid() != 0:
        sys.exit(f"real_cura.py needs root and: {', '.join(absent) or 'nothing more'}")
    pictures = arguments.pictures / arguments.what
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    with Rig(binary=arguments.binary) as rig, NetworkLab(rig.folder) as lab:
        ground = Ground(rig, lab, pictures)
        try:
            {"own": own, "stock": stock}[arguments.what](ground)
        finally:
            ground.close()
    print(f"{arguments.what}: ok; pictures in {pictures}")


if __name__ == "__main__":
    main()
