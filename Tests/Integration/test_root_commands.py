"""What root's commands leave alone: links that the daemon's user has planted, files of other instances."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Rig, free_port

NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Place:
    """A folder with a root's file and a root's folder, and a state folder of somebody else."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        # Where everybody may go: the rig's folder may lie where only root does.
        self.folder = Path(tempfile.mkdtemp(prefix="uplink-root-"))
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.state.mkdir()
        self.victim = self.folder / "rootfile"
        self.victim.write_text("root only\n")
        self.victim.chmod(0o600)
        self.treasure = self.folder / "rootdir"
        self.treasure.mkdir(mode=0o700)
        (self.treasure / "precious").write_text("x")
        self.config = self.folder / "c.yaml"
        self.write()

    def write(self, **more: Any) -> None:
        """A file of root's with one cloud that nobody answers for."""
        hub = {
            "type": "php-hub",
            "name": "a",
            "server_url": f"http://127.0.0.1:{free_port()}/api.php",
            "printer_token": "t" * 32,
        }
        document = {
            "version": 1,
            "printer": {"name": "P", "moonraker": f"http://127.0.0.1:{free_port()}"},
            "state_directory": str(self.state),
            "control": {"listen": "off"},
            "backends": [hub],
        }
        self.config.write_text(yaml.safe_dump(document | more))
        self.config.chmod(0o644)

    def give(self, *paths: Path) -> None:
        for path in paths:
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    def command(self, *words: str) -> Any:
        return self.rig.daemon.command(*words, "-c", str(self.config), timeout=90)

    def assert_untouched(self) -> None:
        information = self.victim.stat()
        assert (information.st_uid, stat.S_IMODE(information.st_mode)) == (0, 0o600)
        assert self.victim.read_text() == "root only\n"
        information = self.treasure.stat()
        assert (information.st_uid, stat.S_IMODE(information.st_mode)) == (0, 0o700)
        assert [entry.name for entry in self.treasure.iterdir()] == ["precious"]


@pytest.fixture
def place(rig: Rig) -> Iterator[Place]:
    place = Place(rig)
    yield place
    shutil.rmtree(place.folder)


@pytest.mark.parametrize("words", [["doctor"], ["run", "--once"], ["status"], ["audit"], ["import", "agent.json"]])
def test_links_in_the_state_folder_lead_root_nowhere(place: Place, words: list[str]) -> None:
    for name in ("daemon.lock", "audit.jsonl", "commands.db", "overlay.json"):
        (place.state / name).symlink_to(place.victim)
        place.give(place.state / name)
    for name in ("staging", "secrets", "identities", "backends"):
        (place.state / name).symlink_to(place.treasure)
        place.give(place.state / name)
    place.give(place.state)
    agent = place.folder / "agent.json"
    agent.write_text('{"api_url": "http://127.0.0.1:9/api.php", "token": "' + "u" * 32 + '"}')
    place.command(*[str(place.folder / word) if word == "agent.json" else word for word in words])
    place.assert_untouched()


def test_doctor_changes_nothing_in_the_state_folder(place: Place) -> None:
    (place.state / "staging").mkdir(mode=0o750)
    (place.state / "staging" / "half").write_text("x")
    (place.state / "daemon.lock").write_text("1\n")
    place.give(place.state, place.state / "staging", place.state / "staging" / "half", place.state / "daemon.lock")
    before = {path: path.stat() for path in place.state.rglob("*")}
    place.command("doctor")
    assert (place.state / "daemon.lock").read_text() == "1\n"
    for path, information in before.items():
        now = path.stat()
        assert (now.st_mode, now.st_mtime_ns) == (information.st_mode, information.st_mtime_ns), path


def test_a_linked_log_file_is_not_given_away(place: Place) -> None:
    logs = place.folder / "logs"
    logs.mkdir()
    (logs / "u.log").symlink_to(place.victim)
    place.give(logs, logs / "u.log", place.state)
    place.write(log={"file": str(logs / "u.log")})
    place.command("run", "--once")
    place.assert_untouched()


def test_doctor_reads_for_root_only_what_the_files_owner_may_read(place: Place) -> None:
    """The file may be written by every client of Moonraker: what it names is not read with root's rights."""
    place.config.write_text(
        place.config.read_text().replace("printer_token: " + "t" * 32, f"printer_token_file: {place.victim}")
    )
    os.chown(place.config, NOBODY, NOBODY)
    place.give(place.state)
    result = place.command("doctor")
    assert result.returncode == 1
    assert "may not be read" in result.stdout, result.stdout


def test_one_round_by_root_leaves_everything_to_the_states_owner(place: Place) -> None:
    place.give(place.state)
    place.command("run", "--once")
    owners = {path.name: path.lstat().st_uid for path in place.state.rglob("*")}
    assert "daemon.lock" in owners
    assert set(owners.values()) == {NOBODY}, owners


def test_a_round_by_root_makes_no_state_folder_for_everybody(place: Place) -> None:
    """Only where the system's place is missing here: it must not appear."""
    system = Path("/var/lib/printer-uplink")
    if system.exists():
        pytest.skip("a printer-uplink is installed here")
    document = yaml.safe_load(place.config.read_text())
    del document["state_directory"]
    place.config.write_text(yaml.safe_dump(document))
    os.chown(place.config, NOBODY, NOBODY)
    try:
        place.command("run", "--once")
        assert not system.exists()
    finally:
        if system.exists():
            os.rename(system, place.folder / "moved")
