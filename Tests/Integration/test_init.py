"""`init` as an owner meets it: with options, with a pipe, at a terminal, as root for somebody else; and instances."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from harness import PATIENCE, ManagedProcess, Rig, die_with_parent, free_port, wait_until
from place import Place, missing

from commanding import JSON

NOBODY = 65534


@pytest.fixture
def house(rig: Rig) -> Rig:
    rig.start_printer()
    return rig


def environment(rig: Rig) -> dict[str, str]:
    """Nothing leaves this host: what is not on it goes to a proxy that is not there."""
    proxy = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    return rig.daemon.environment() | proxy | {"STATE_DIRECTORY": str(rig.daemon.state)}


def init(
    rig: Rig, *options: str, given: str | None = None, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `init`, with `given` in a pipe, or with no standard input at all."""
    command = [str(rig.binary), "init", "-c", str(path or rig.daemon.config), *options]
    return subprocess.run(
        command,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        cwd=rig.daemon.folder,
        env=environment(rig),
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=die_with_parent,
        check=False,
    )


def questions(rig: Rig) -> list[str]:
    """The options of `init` that answer a question."""
    text = rig.daemon.command("init", "--help").stdout
    every = re.findall(r"--([a-z-]+) [A-Z]+", text)
    return [option for option in every if option != "config"]


def test_every_question_has_an_option_and_nothing_is_asked_then(house: Rig) -> None:
    house.start_clouds()
    files = {}
    for option in questions(house):
        if option.endswith("-file") and option not in ("api-key-file", "log-file"):
            secret = house.folder / option
            secret.write_text("PAIR-0001\n" if option.startswith("reach") else "PAIR_dummy_1\n")
            secret.chmod(0o600)
            files[option] = str(secret)
    answers = {
        "name": "Vörön: #1",
        "moonraker": house.moonraker.url,
        "api-key-file": "",
        "backends": "reach,printdock,polar,php-hub,cura",
        "permissions": "control",
        "log-file": str(house.folder / "uplink.log"),
        "reach-relay": house.reach.url,
        "polar-username": "maker@example.test",
        "php-hub-server-url": "http://127.0.0.1:1/printerhub/api.php",
    } | files
    assert set(answers) == set(questions(house)), "a question without an answer here"
    options = [word for option, answer in answers.items() if answer for word in (f"--{option}", answer)]
    result = init(house, *options, "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "[" not in result.stderr, "something was asked"
    document = yaml.safe_load(house.daemon.config.read_text())
    assert document["printer"]["name"] == "Vörön: #1"
    assert [entry["type"] for entry in document["backends"]] == answers["backends"].split(",")
    assert {entry["permissions"] for entry in document["backends"]} == {"control"}
    assert document["backends"][0]["relay"] == house.reach.url
    assert document["backends"][0]["pairing_code_file"] == files["reach-pairing-code-file"]
    assert house.daemon.config.stat().st_mode & 0o777 == 0o600
    assert house.daemon.command("validate", "-c", str(house.daemon.config)).returncode == 0
    # It ends in `validate`, `doctor` and how to go on.
    assert "is written" in result.stdout
    assert "Moonraker: " in result.stdout
    assert "run --once" in result.stdout
    # What the doctor says of a file that is new: the entries whose secrets are still to come are to be paired.
    assert "PAIR" not in house.daemon.config.read_text()


@pytest.mark.parametrize("given", [None, "", "typed\n"])
def test_without_a_terminal_nothing_is_asked(house: Rig, given: str | None) -> None:
    begin = time.monotonic()
    result = init(house, "--moonraker", house.moonraker.url, given=given)
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - begin < 15 * PATIENCE
    document = yaml.safe_load(house.daemon.config.read_text())
    assert document["printer"]["name"] == "Printer"
    assert not document["backends"]


def test_nothing_is_ever_overwritten(house: Rig) -> None:
    house.daemon.config.write_text("mine\n")
    result = init(house, "--yes")
    assert result.returncode == 1
    assert "stays as it is" in result.stderr
    assert house.daemon.config.read_text() == "mine\n"
    link = house.folder / "link.yaml"
    link.symlink_to(house.folder / "nowhere.yaml")
    result = init(house, "--yes", path=link)
    assert result.returncode == 1
    assert not (house.folder / "nowhere.yaml").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--backends", "reech"], "did you mean 'reach'"),
        (["--permissions", "everything"], "monitor, control, print and full"),
        (["--nmae", "x"], "did you mean '--name'"),
        (["--name"], "needs a value"),
    ],
)
def test_a_wrong_answer_writes_nothing(house: Rig, options: list[str], words: str) -> None:
    result = init(house, *options)
    assert result.returncode == 2
    assert words in result.stderr
    assert not house.daemon.config.exists()


class Person:
    """Somebody at a terminal."""

    def __init__(self, rig: Rig, *options: str) -> None:
        self._terminal, side = pty.openpty()
        command = [str(rig.binary), "init", "-c", str(rig.daemon.config), *options]
        self.process = subprocess.Popen(
            command,
            stdin=side,
            stdout=side,
            stderr=side,
            cwd=rig.daemon.folder,
            env=environment(rig) | {"TERM": "dumb"},
            preexec_fn=die_with_parent,
        )
        os.close(side)
        self.seen = ""

    def read_until(self, words: str, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds * PATIENCE
        begin = len(self.seen)
        while words not in self.seen[begin:]:
            assert time.monotonic() < deadline, f"{words!r} is missing in {self.seen!r}"
            if select.select([self._terminal], [], [], 0.2)[0]:
                try:
                    piece = os.read(self._terminal, 4096)
                except OSError:
                    piece = b""
                assert piece, f"it ended: {self.seen}"
                self.seen += piece.decode(errors="replace")

    def type(self, answer: str) -> None:
        os.write(self._terminal, (answer + "\n").encode())

    def answer(self, question: str, answer: str) -> None:
        self.read_until(question)
        self.type(answer)

    def close(self) -> int:
        status = self.process.wait(30)
        os.close(self._terminal)
        return status


def test_a_person_at_a_terminal_is_asked_and_offered_a_round(house: Rig) -> None:
    house.start_clouds()
    person = Person(house, "--backends", "reach")
    person.answer("What do you call the printer?", "Voron")
    person.answer("Where is Moonraker?", house.moonraker.url)
    person.answer("API key", "")
    person.answer("monitor, control, print or full", "")
    person.answer("log file", "")
    person.answer("reach: ", house.reach.url)
    person.read_until("is written")
    person.answer("one full round with every cloud now? [no]", "")
    person.read_until("run --once")
    assert person.close() == 0
    document = yaml.safe_load(house.daemon.config.read_text())
    assert document["printer"] == {"name": "Voron", "moonraker": house.moonraker.url}
    assert document["backends"] == [{"type": "reach", "permissions": "print", "relay": house.reach.url}]
    assert "Moonraker: " in person.seen, "the doctor has spoken"


def test_the_offered_round_is_done(house: Rig) -> None:
    house.start_clouds()
    code = house.folder / "code"
    code.write_text("PAIR-0001\n")
    code.chmod(0o600)
    options = ["--name", "Voron", "--moonraker", house.moonraker.url, "--permissions", "print", "--backends", "reach"]
    person = Person(house, *options, "--reach-relay", house.reach.url, "--reach-pairing-code-file", str(code))
    person.answer("API key", "")
    person.answer("log file", "")
    person.answer("one full round with every cloud now? [no]", "yes")
    person.read_until("reach")
    wait_until(lambda: house.reach.records("register"), 20 * PATIENCE, "the round")
    assert person.close() == 0
    assert "PAIR-0001" not in house.daemon.config.read_text()


def test_what_is_still_to_come_leaves_an_entry_off_and_no_account_is_made_up(house: Rig) -> None:
    result = init(house, "--moonraker", house.moonraker.url, "--backends", "polar,php-hub,cura", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    text = house.daemon.config.read_text()
    assert "example" not in text
    entries = {entry["type"]: entry for entry in yaml.safe_load(text)["backends"]}
    assert entries["php-hub"]["enabled"] is False
    assert "enabled" not in entries["cura"]


def test_a_file_of_the_other_ending_is_not_hidden(house: Rig) -> None:
    folder = house.daemon.folder / "printer_data" / "config"
    folder.mkdir(parents=True)
    (folder / "printer-uplink.conf").write_text("version: 1\nbackends: []\n")
    result = subprocess.run(
        [str(house.binary), "init", "--yes"], env=environment(house), capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "printer-uplink.conf is there already" in result.stderr
    assert not (folder / "printer-uplink.yaml").exists()


def test_without_a_folder_it_says_so_before_the_first_question(house: Rig) -> None:
    result = init(house, path=house.folder / "nowhere" / "c.yaml")
    assert result.returncode == 1
    assert "there is no folder" in result.stderr


def test_as_root_for_another_owner_nothing_is_left_that_is_roots(house: Rig) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    house.reach.start("--telemetry", "5", "--telemetry-idle", "5", "--next-check-in", "5")
    home = house.folder / "home" / "printer_data" / "config"
    home.mkdir(parents=True)
    code = house.folder / "code"
    code.write_text("PAIR-0001\n")
    code.chmod(0o600)
    for path in (home, home.parent, home.parent.parent, code):
        os.chown(path, NOBODY, NOBODY)
    options = ["--moonraker", house.moonraker.url, "--backends", "reach", "--reach-relay", house.reach.url]
    path = home / "printer-uplink.yaml"
    result = init(house, *options, "--reach-pairing-code-file", str(code), "--yes", "--once", path=path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert path.stat().st_uid == NOBODY
    assert path.stat().st_gid == NOBODY
    left = [entry for entry in (house.daemon.state, *house.daemon.state.rglob("*")) if entry.stat().st_uid != NOBODY]
    assert left == [], "the daemon's user could not use these"
    assert (house.daemon.state / "identities").exists(), "the round has paired"
    report = subprocess.run(
        [str(house.binary), "doctor", "-c", str(path), "--report"],
        cwd=home,
        env=environment(house),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert report.returncode == 0, report.stderr
    (written,) = home.glob("printer-uplink-report-*.txt")
    assert written.stat().st_uid == NOBODY


# Instances


@pytest.fixture
def farm(house: Rig) -> Iterator[Place]:
    """A host with /etc/printer-uplink and /var/lib of its own."""
    if problem := missing():
        pytest.skip(problem)
    with Place(house.folder, net=False) as place:
        copy = house.folder / "etc"
        shutil.copytree("/etc", copy, symlinks=True, ignore_dangling_symlinks=True)
        shutil.rmtree(copy / "printer-uplink", ignore_errors=True)
        (copy / "printer-uplink").mkdir()
        place.run("mount", "--bind", str(copy), "/etc")
        (house.folder / "var-lib").mkdir()
        place.run("mount", "--bind", str(house.folder / "var-lib"), "/var/lib")
        yield place


def test_a_command_finds_the_daemon_of_its_file(house: Rig, farm: Place) -> None:
    folder, states = house.folder / "etc" / "printer-uplink", house.folder / "var-lib"
    variables = {"PATH": os.environ["PATH"], "HOME": str(house.folder / "nobody's"), "NO_COLOR": "1"}
    runs = house.folder / "run"
    daemons = []
    for name in ("printer-uplink", "voron", "prusa"):
        document = house.configuration()
        document["printer"]["name"] = name
        del document["state_directory"]
        document["control"] = {"listen": f"127.0.0.1:{free_port()}"}
        document["backends"] = [{"type": "cura", "listen": "127.0.0.1:0", "advertise": "off"}]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(document))
        own = {}
        if name == "voron":
            # As the unit gives it to the template's instances.
            (runs / name).mkdir(parents=True)
            own = {"RUNTIME_DIRECTORY": str(runs / name), "STATE_DIRECTORY": f"/var/lib/printer-uplink-{name}"}
        process = ManagedProcess(f"daemon-{name}", house.folder)
        arguments = ["run", "-c", f"/etc/printer-uplink/{name}.yaml"] if name != "printer-uplink" else ["run"]
        process.launch([*farm.prefix, str(house.binary), *arguments], variables | own)
        daemons.append(process)

    def run(command: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*farm.prefix, str(house.binary), command, *options],
            env=variables,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def status(*options: str) -> JSON:
        result = run("status", "--json", *options)
        return json.loads(result.stdout) if result.returncode == 0 else {}

    def file(name: str) -> list[str]:
        return ["-c", f"/etc/printer-uplink/{name}.yaml"]

    try:
        for name in ("voron", "prusa"):
            wait_until(lambda name=name: status(*file(name)), 15 * PATIENCE, f"the daemon of {name}")
            assert status(*file(name))["printer"]["name"] == name
        wait_until(status, 15 * PATIENCE, "the daemon of the usual file")
        assert status()["printer"]["name"] == "printer-uplink"
        assert {path.name for path in states.glob("printer-uplink*")} == {
            "printer-uplink",
            "printer-uplink-voron",
            "printer-uplink-prusa",
        }
        # What is told to one is not told to the others.
        result = run("disable", "cura", *file("voron"))
        assert result.returncode == 0, result.stderr
        assert status(*file("voron"))["backends"][0]["state"] == "disabled"
        assert status(*file("prusa"))["backends"][0]["state"] != "disabled"
        assert status()["backends"][0]["state"] != "disabled"
        # Also by a link to the file.
        (folder / "of-the-day.yaml").symlink_to("voron.yaml")
        checks = json.loads(run("doctor", "--json", *file("voron")).stdout)["checks"]
        daemon = next(check for check in checks if check["id"] == "daemon")
        assert daemon["text"].startswith("runs"), daemon
        # One that is away is told from the others.
        daemons[1].kill()
        result = run("status", *file("voron"))
        assert result.returncode == 1
        assert "printer-uplink-voron" in result.stderr
        assert status(*file("prusa"))["printer"]["name"] == "prusa"
    finally:
        for process in daemons:
            process.kill()
